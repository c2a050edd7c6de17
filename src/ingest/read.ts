/**
 * The first flight of a batch: begins its transaction, takes its locks, and reads everything that is needed to decide.
 *
 * The statements run one after the other, and each sees what was committed before it began: what is read after the locks
 * does not change before the commit.
 */

import { RESOURCES } from '../clerk/catalogue.ts'
import type { DeletionPolicies } from '../clerk/deletion.ts'
import type { Resource } from '../clerk/resource.ts'
import type { BatchLimits, BatchTransaction, BeginBatch } from '../database/batch.ts'
import type { Statement } from '../database/query.ts'
import { familyLocks } from './family-locks.ts'
import type { StoredRow, Tombstone } from './fold.ts'
import { linksOf, type Observation, type Parent } from './observation.ts'
import type { ReadStatements } from './statements.ts'

/** What a batch is about. */
export interface Questions {
  /** Messages that may be recorded already. */
  readonly svixIds: readonly string[]
  readonly observations: readonly Observation[]
  /** Users that something which is not applied is about: what is recorded of those who were erased has no body. */
  readonly mentioned?: readonly Parent[]
  /** Resources of whose events handlers hear: by the types that are asked for. */
  readonly notifiable: readonly { readonly type: string; readonly resourceId: string }[]
}

/** What the database knows of it, locked until the transaction ends. */
export interface Stored {
  /** The hash of the recorded body, by svix-id. */
  readonly recorded: ReadonlyMap<string, Uint8Array>
  row(table: string, id: string): StoredRow | undefined
  /** The deletion of a parent that this batch shows nothing of. */
  tombstone(table: string, id: string): Tombstone | undefined
  /** Whether anything that was asked for was erased. */
  readonly hasErased: boolean
  /** Whether it was erased. */
  isErased(table: string, id: string): boolean
  /** How many rows of a table name this parent; hardly more than `MAX_CASCADE` are counted. */
  dependants(child: Resource, column: string, parentId: string): number | undefined
  /** When the last sweep of a table began, for rows of this instance. */
  sweptAt(table: string, instanceId: string | null): Date | undefined
  readonly notified: readonly Notified[]
}

/** An event that notified handlers of a resource. */
export interface Notified {
  readonly id: string
  readonly type: string
  readonly resource_id: string
  readonly occurred_at: Date
  readonly source: string
}

/** One statement of the flight, and what its rows add to the answer. */
interface Read {
  readonly statement: Statement
  readonly take: (rows: readonly never[], answer: Answer) => void
}

export async function read(
  begin: BeginBatch,
  statements: ReadStatements,
  questions: Questions,
  deletion: DeletionPolicies,
  limits: Partial<BatchLimits> = {},
): Promise<{ transaction: BatchTransaction; stored: Stored }> {
  const reads = [
    ...lockFamilies(statements, questions.observations, deletion),
    ...findRecorded(statements, questions.svixIds),
    ...findNotified(statements, questions.notifiable),
    ...[...byResource(questions.observations)].flatMap(([resource, observations]) =>
      readResource(statements, resource, observations),
    ),
    ...findTombstones(statements, questions.mentioned ?? []),
  ]
  const transaction = await begin(
    reads.map(({ statement }) => statement),
    limits,
  )
  const answer = new Answer()
  reads.forEach(({ take }, index) => {
    take(transaction.rows[index] as never[], answer)
  })
  return { transaction, stored: answer }
}

/** In the catalogue's order, in which every transaction locks rows, so that two never wait for each other. */
export function byResource(observations: readonly Observation[]): Map<Resource, Observation[]> {
  const groups = Map.groupBy(observations, ({ resource }) => resource)
  return new Map(
    [...RESOURCES.values()].flatMap((each) =>
      groups.has(each) ? [[each, groups.get(each) as Observation[]]] : [],
    ),
  )
}

function readResource(
  statements: ReadStatements,
  resource: Resource,
  observations: readonly Observation[],
): Read[] {
  return [
    lockRows(statements, resource, observations),
    findSweeps(statements, resource),
    ...findParents(statements, observations),
    ...countDependants(statements, resource, observations),
  ]
}

/** Before any row is locked. */
function lockFamilies(
  { lockFamilies: text }: ReadStatements,
  observations: readonly Observation[],
  deletion: DeletionPolicies,
): Read[] {
  const { buckets, exclusive } = familyLocks(observations, deletion)
  if (buckets.length === 0) return []
  return [{ statement: { text, parameters: [buckets, exclusive] }, take: () => undefined }]
}

function findRecorded({ recorded: text }: ReadStatements, svixIds: readonly string[]): Read[] {
  if (svixIds.length === 0) return []
  return [
    {
      statement: { text, parameters: [svixIds] },
      take: (rows: readonly RecordedRow[], { recorded }) => {
        for (const { id, body_sha256 } of rows) recorded.set(id, body_sha256)
      },
    },
  ]
}

function findNotified({ notified: text }: ReadStatements, notifiable: Questions['notifiable']): Read[] {
  if (notifiable.length === 0) return []
  const parameters = [notifiable.map(({ resourceId }) => resourceId), notifiable.map(({ type }) => type)]
  return [
    {
      statement: { text, parameters },
      take: (rows: readonly Notified[], { notified }) => void notified.push(...rows),
    },
  ]
}

function lockRows(
  statements: ReadStatements,
  resource: Resource,
  observations: readonly Observation[],
): Read {
  const ids = [...new Set(observations.map(({ id }) => id))].sort()
  return {
    statement: { text: statements.lock(resource), parameters: [ids] },
    take: (rows: readonly LockedRow[], { rows: stored, erased }) => {
      for (const row of rows) {
        if (row.is_gone && stored.has(keyOf(resource.table, row.id))) continue
        stored.set(keyOf(resource.table, row.id), toStoredRow(row))
        if (row.is_erased) erased.add(keyOf(resource.table, row.id))
      }
    },
  }
}

function findSweeps(statements: ReadStatements, { table }: Resource): Read {
  return {
    statement: { text: statements.sweeps, parameters: [table] },
    take: (rows: readonly SweepRow[], { sweeps }) => void sweeps.set(table, rows),
  }
}

/** What arrives after its parent's deletion is deleted too. */
function findParents(statements: ReadStatements, observations: readonly Observation[]): Read[] {
  return findTombstones(statements, observations.flatMap(linksOf))
}

function findTombstones(statements: ReadStatements, wanted: readonly Parent[]): Read[] {
  return [...Map.groupBy(wanted, ({ table }) => table)].map(([table, ofTable]) => ({
    statement: {
      text: statements.tombstones(RESOURCES.get(table) as Resource),
      parameters: [[...new Set(ofTable.map(({ id }) => id))]],
    },
    take: (rows: readonly TombstoneRow[], { tombstones, erased }) => {
      for (const row of rows) {
        tombstones.set(keyOf(table, row.id), toTombstone(row))
        if (row.is_erased) erased.add(keyOf(table, row.id))
      }
    },
  }))
}

function countDependants(
  statements: ReadStatements,
  parent: Resource,
  observations: readonly Observation[],
): Read[] {
  const ids = [...new Set(observations.filter(({ isDeletion }) => isDeletion).map(({ id }) => id))]
  if (ids.length === 0) return []
  return childrenOf(parent).map(({ resource, column }) => ({
    statement: { text: statements.dependants(resource, column), parameters: [ids] },
    take: (rows: readonly DependantsRow[], { counts }) => {
      for (const { id, count } of rows) counts.set(keyOf(`${resource.table}.${column}`, id), count)
    },
  }))
}

/** The tables whose rows belong to a resource, and the columns that name it. */
export function childrenOf({ table }: Resource): { resource: Resource; column: string }[] {
  return [...RESOURCES.values()].flatMap((resource) =>
    Object.entries(resource.parents ?? {}).flatMap(([column, parent]) =>
      parent === table ? [{ resource, column }] : [],
    ),
  )
}

class Answer implements Stored {
  readonly recorded = new Map<string, Uint8Array>()
  readonly rows = new Map<string, StoredRow>()
  readonly tombstones = new Map<string, Tombstone>()
  readonly counts = new Map<string, number>()
  readonly sweeps = new Map<string, readonly SweepRow[]>()
  readonly notified: Notified[] = []
  readonly erased = new Set<string>()

  get hasErased(): boolean {
    return this.erased.size > 0
  }

  isErased(table: string, id: string): boolean {
    return this.erased.has(keyOf(table, id))
  }

  row(table: string, id: string): StoredRow | undefined {
    return this.rows.get(keyOf(table, id))
  }

  tombstone(table: string, id: string): Tombstone | undefined {
    return this.tombstones.get(keyOf(table, id))
  }

  dependants({ table }: Resource, column: string, parentId: string): number | undefined {
    return this.counts.get(keyOf(`${table}.${column}`, parentId))
  }

  /** A sweep of another Clerk instance proves nothing about a row. */
  sweptAt(table: string, instanceId: string | null): Date | undefined {
    const sweeps = (this.sweeps.get(table) ?? []).filter(
      ({ instance_id }) => instanceId === null || instance_id === '' || instance_id === instanceId,
    )
    return sweeps.map(({ started_at }) => started_at).sort((a, b) => b.getTime() - a.getTime())[0]
  }
}

function keyOf(table: string, id: string): string {
  return `${table} ${id}`
}

interface RecordedRow {
  id: string
  body_sha256: Uint8Array
}

interface SweepRow {
  instance_id: string
  started_at: Date
}

interface DependantsRow {
  id: string
  count: number
}

interface TombstoneRow {
  id: string
  deleted_at: Date
  event_id: string | null
  is_erased: boolean
}

interface LockedRow {
  id: string
  clerk_updated_at: Date | null
  observed_at: Date | null
  deleted_at: Date | null
  event_id: string | null
  instance_id: string | null
  raw: string | null
  is_erased: boolean
  is_gone: boolean
}

function toTombstone({ deleted_at, event_id }: TombstoneRow): Tombstone {
  return { deletedAt: deleted_at, eventId: event_id }
}

function toStoredRow({ deleted_at, event_id, instance_id, ...row }: LockedRow): StoredRow {
  return {
    version: row.observed_at && {
      updatedAt: row.clerk_updated_at,
      observedAt: row.observed_at,
      raw: Buffer.from(row.raw ?? ''),
    },
    tombstone: deleted_at && { deletedAt: deleted_at, eventId: event_id },
    instanceId: instance_id,
    isGone: row.is_gone,
  }
}
