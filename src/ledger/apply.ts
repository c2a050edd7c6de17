/**
 * Applies observations to the mirrored tables, inside a transaction of the caller's.
 *
 * For each resource, in the catalogue's order: lock the stored rows, fold what was observed into them, write what
 * changed in one statement each. Deleting a parent deletes what belongs to it.
 */

import type { Transaction } from 'kysely'
import { RESOURCES } from '../clerk/catalogue.ts'
import { toDate } from '../clerk/event.ts'
import { type ChildSet, membersOf, type Resource, readColumns, readSource } from '../clerk/resource.ts'
import { query, queryAll, type Statement } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { type Row, withRows } from './arrays.ts'
import { Bytes } from './bytes.ts'
import { familyLocks } from './family-locks.ts'
import { earliest, type Folded, fold, type StoredRow, type Tombstone, type Verdict } from './fold.ts'
import { type Observation, parentsOf } from './observation.ts'
import {
  type ChildStatement,
  LOCK_FAMILIES,
  type ResourceStatements,
  resourceStatements,
  tombstonesStatement,
} from './statements.ts'

type Tombstones = Map<string, Tombstone>

export type Apply = (
  trx: Transaction<ClerkTables>,
  observations: readonly Observation[],
) => Promise<Verdict[]>

/**
 * Prepares the SQL for a schema and returns the function that applies observations there.
 * @param lateRows gets the transactions that wrote rows which Clerk is to be asked for
 */
export function createApply(schema: string, lateRows: WeakSet<Transaction<ClerkTables>>): Apply {
  const statements = new Map(
    [...RESOURCES.values()].map((resource) => [resource.table, resourceStatements(resource, schema)]),
  )
  return (trx, observations) => new Application(trx, schema, statements, lateRows).run(observations)
}

/** One transaction's worth of applying; holds what its steps tell each other. */
class Application {
  readonly #trx: Transaction<ClerkTables>
  readonly #schema: string
  readonly #statements: ReadonlyMap<string, ResourceStatements>
  readonly #lateRows: WeakSet<Transaction<ClerkTables>>
  /** What this transaction deletes, by table: it goes on to what belongs to it. */
  readonly #deleted = new Map<string, Tombstones>()

  constructor(
    trx: Transaction<ClerkTables>,
    schema: string,
    statements: ReadonlyMap<string, ResourceStatements>,
    lateRows: WeakSet<Transaction<ClerkTables>>,
  ) {
    this.#trx = trx
    this.#schema = schema
    this.#statements = statements
    this.#lateRows = lateRows
  }

  async run(observations: readonly Observation[]): Promise<Verdict[]> {
    await this.#lockFamilies(observations)
    const byTable = Map.groupBy(observations, (observation) => observation.resource.table)
    const verdicts = new Map<Observation, Verdict>()
    for (const resource of RESOURCES.values()) {
      await this.#buryOrphans(resource)
      const observed = byTable.get(resource.table)
      if (observed) await this.#applyTo(resource, observed, verdicts)
    }
    return observations.map((observation) => verdicts.get(observation) as Verdict)
  }

  async #lockFamilies(observations: readonly Observation[]): Promise<void> {
    const { buckets, exclusive } = familyLocks(observations)
    if (buckets.length > 0) await this.#query(LOCK_FAMILIES, [buckets, exclusive])
  }

  /** Deletes what belongs to a parent that this transaction deleted. */
  async #buryOrphans(resource: Resource): Promise<void> {
    for (const [column, parentTable] of Object.entries(resource.parents ?? {})) {
      const parents = this.#deleted.get(parentTable)
      if (parents) await this.#query(this.#of(resource).buryByParent[column] as string, [toRows(parents)])
    }
  }

  async #applyTo(
    resource: Resource,
    observations: readonly Observation[],
    verdicts: Map<Observation, Verdict>,
  ): Promise<void> {
    const byId = Map.groupBy(observations, (observation) => observation.id)
    const ids = [...byId.keys()].sort()
    const { stored, orphaned } = await this.#read(resource, ids, observations)

    const folded = new Map<string, Folded>()
    for (const id of ids) {
      const observed = byId.get(id) as Observation[]
      const result = fold(stored.get(id), observed, orphaned.get(id) ?? null)
      observed.forEach((observation, index) => {
        verdicts.set(observation, result.verdicts[index] as Verdict)
      })
      folded.set(id, result)
    }
    await this.#write(resource, folded, stored)
  }

  /**
   * Locks the stored rows, and looks for the tombstones of their parents: what arrives after its parent's deletion is
   * deleted too.
   */
  async #read(resource: Resource, ids: readonly string[], observations: readonly Observation[]) {
    const owned = observations.flatMap((child) => parentsOf(child).map((parent) => ({ child, parent })))
    const byTable = [...Map.groupBy(owned, ({ parent }) => parent.table)]
    const [rows, ...found] = await queryAll(this.#trx, [
      { text: this.#of(resource).lock, parameters: [ids] },
      ...byTable.map(([table, relations]) => ({
        text: tombstonesStatement(RESOURCES.get(table) as Resource, this.#schema),
        parameters: [[...new Set(relations.map(({ parent }) => parent.id))]],
      })),
    ])
    const orphaned: Tombstones = new Map()
    byTable.forEach(([, relations], index) => {
      const tombstones = new Map(
        (found[index] as DeletedRow[]).map((row) => [row.id, toTombstone(row.deleted_at, row.event_id)]),
      )
      for (const { child, parent } of relations) {
        const tombstone = earliest(orphaned.get(child.id) ?? null, tombstones.get(parent.id) ?? null)
        if (tombstone) orphaned.set(child.id, tombstone)
      }
    })
    return { stored: new Map((rows as LockedRow[]).map((row) => [row.id, toStoredRow(row)])), orphaned }
  }

  async #write(
    resource: Resource,
    folded: ReadonlyMap<string, Folded>,
    stored: ReadonlyMap<string, StoredRow>,
  ): Promise<void> {
    const written: Written[] = []
    const buried: Tombstones = new Map()
    const lifted = [...folded].filter(([, { isLifted }]) => isLifted).map(([id]) => id)
    for (const [id, { newest, tombstone }] of folded) {
      if (newest) written.push({ id, observation: newest, tombstone })
      const isNew = tombstone !== null && !isSame(tombstone, stored.get(id)?.tombstone ?? null)
      if (isNew) this.#markDeleted(resource, id, tombstone)
      if (isNew && !newest) buried.set(id, tombstone)
    }
    const { lift, clear, bury, buryMembers } = this.#of(resource)
    const tombstones = [toRows(buried)]
    const existing = written.map(({ id }) => id).filter((id) => stored.has(id))
    const before: Statement[] = []
    if (lifted.length > 0) before.push({ text: lift, parameters: [lifted] })
    if (buried.size > 0) before.push({ text: bury, parameters: tombstones })
    if (buried.size > 0 && buryMembers)
      before.push({ text: buryMembers, parameters: [...tombstones, [...buried.keys()]] })
    if (clear && existing.length > 0) before.push({ text: clear, parameters: [existing] })
    const results = await queryAll(this.#trx, [...before, ...this.#upsert(resource, written)])
    const upserted = (results[before.length] ?? []) as UpsertedRow[]
    const asExpected = upserted.filter((row) => row.inserted !== stored.has(row.id))
    if (asExpected.length !== written.length) throw rowsMoved()
    await this.#askForLate(resource, upserted)
  }

  /** A row that an event made which is older than the last sweep: the sweep would have made it, had Clerk still had it. */
  async #askForLate(resource: Resource, upserted: readonly UpsertedRow[]): Promise<void> {
    const late = upserted.filter((row) => row.inserted && row.is_late).map(({ id }) => id)
    if (late.length === 0) return
    await this.#query(this.#of(resource).askFor, [late])
    this.#lateRows.add(this.#trx)
  }

  /** The statement that returns {@link UpsertedRow}s, and those for the sets of what it writes. */
  #upsert(resource: Resource, written: readonly Written[]): Statement[] {
    if (written.length === 0) return []
    const { upsert, children } = this.#of(resource)
    const bytes = new Bytes()
    const rows = written.map((each) => resourceRow(resource, each, bytes))
    return [withRows(upsert, rows, bytes), ...children.flatMap((child) => insertMembers(child, written))]
  }

  #markDeleted(resource: Resource, id: string, tombstone: Tombstone): void {
    const deleted = this.#deleted.get(resource.table) ?? new Map()
    this.#deleted.set(resource.table, deleted.set(id, tombstone))
  }

  #of(resource: Resource): ResourceStatements {
    return this.#statements.get(resource.table) as ResourceStatements
  }

  #query<Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> {
    return query<Row>(this.#trx, text, parameters)
  }
}

function insertMembers(child: ChildStatement, written: readonly Written[]): Statement[] {
  const bytes = new Bytes()
  const rows = written.flatMap((each) => childRows(child.childSet, each, bytes))
  return rows.length > 0 ? [withRows(child, rows, bytes)] : []
}

interface Written {
  readonly id: string
  readonly observation: Observation
  readonly tombstone: Tombstone | null
}

interface LockedRow {
  id: string
  clerk_updated_at: Date | null
  observed_at: Date | null
  deleted_at: Date | null
  event_id: string | null
  raw: string | null
}

interface DeletedRow {
  id: string
  deleted_at: Date
  event_id: string | null
}

interface UpsertedRow {
  id: string
  inserted: boolean
  /** Null before the first sweep. */
  is_late: boolean | null
}

function toTombstone(deletedAt: Date, eventId: string | null): Tombstone {
  return { deletedAt, eventId }
}

function toStoredRow(row: LockedRow): StoredRow {
  return {
    version: row.observed_at && {
      updatedAt: row.clerk_updated_at,
      observedAt: row.observed_at,
      raw: Buffer.from(row.raw ?? ''),
    },
    tombstone: row.deleted_at && toTombstone(row.deleted_at, row.event_id),
  }
}

function resourceRow(resource: Resource, { id, observation, tombstone }: Written, bytes: Bytes): Row {
  const { data, raw, updatedAt } = observation.state as NonNullable<Observation['state']>
  return {
    // First, because V8 clones an object that stands there much faster than it copies one that comes later.
    ...readColumns(resource.columns, data),
    id,
    clerk_created_at: toDate(readSource(resource.createdAt ?? 'created_at', data)),
    clerk_updated_at: updatedAt,
    ...provenance(observation, tombstone),
    ...bytes.add('raw', raw),
  }
}

function childRows(childSet: ChildSet, { id, observation, tombstone }: Written, bytes: Bytes): Row[] {
  return [...membersOf(childSet, observation.state?.data ?? {})].map(([childId, member]) => ({
    ...readColumns(childSet.columns, member),
    [childSet.parentColumn]: id,
    id: childId,
    clerk_created_at: toDate(member.created_at),
    clerk_updated_at: toDate(member.updated_at),
    ...provenance(observation, tombstone),
    ...bytes.add('raw', Buffer.from(JSON.stringify(member))),
  }))
}

function provenance(observation: Observation, tombstone: Tombstone | null): object {
  return {
    observed_at: observation.observedAt,
    deleted_at: tombstone?.deletedAt ?? null,
    event_id: tombstone ? tombstone.eventId : observation.eventId,
    instance_id: observation.instanceId,
  }
}

function toRows(tombstones: Tombstones): string {
  const rows = [...tombstones].map(([id, { deletedAt, eventId }]) => ({
    id,
    deleted_at: deletedAt,
    event_id: eventId,
  }))
  return JSON.stringify(rows)
}

function isSame(a: Tombstone, b: Tombstone | null): boolean {
  return b !== null && a.deletedAt.getTime() === b.deletedAt.getTime() && a.eventId === b.eventId
}

/** Another transaction inserted a row between our look and our write. In Postgres' words: run it again. */
function rowsMoved(): Error {
  return Object.assign(new Error('rows were inserted by another transaction meanwhile'), { code: '40001' })
}
