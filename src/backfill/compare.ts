/**
 * Compares Clerk's answers with the rows before anything is written. Unchanged rows are not rewritten; differences are
 * drift, field by field.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Kysely } from 'kysely'
import { exactPayload } from '../clerk/exact-json.ts'
import { type ChildSet, membersOf, readColumns } from '../clerk/resource.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { findTombstones } from '../database/tombstones.ts'
import type { Observation, State } from '../ingest/observation.ts'
import { compareVersions } from '../ingest/version.ts'

export type DriftKind =
  /** Clerk has it, the table does not. */
  | 'missing'
  /** The row is older than Clerk's state. */
  | 'stale'
  /** Only derived fields differ: counts, and copies of other resources. Clerk sends no event for those. */
  | 'refreshed'
  /** The row was made of Clerk's state, and is something else now. */
  | 'edited'
  /** The row, or its tombstone, says that it was deleted, but Clerk shows it. */
  | 'deleted_here'
  /** Clerk does not have it any more. */
  | 'extra'

/** A difference between a row and Clerk. */
export interface Drift {
  readonly kind: DriftKind
  /** The columns and sets that differ; empty if the whole row does. */
  readonly fields: readonly string[]
}

/** The result for one observation: a difference, no difference, or a newer row. */
export type Comparison = Drift | 'same' | 'newer_here'

interface StoredColumns {
  readonly id: string
  readonly clerk_updated_at: Date | null
  readonly observed_at: Date | null
  readonly deleted_at: Date | null
  readonly erased_at?: Date | null
  readonly raw_text: string | null
  readonly [column: string]: unknown
}

type ChildRows = ReadonlyMap<string, readonly StoredColumns[]>

export interface CompareOptions {
  /** Look at every column and set, to find what was edited by hand; else only at the state that a row was made of. */
  readonly isThorough: boolean
}

/** Compares observations of one resource with their rows, in order. */
export async function compare(
  database: Kysely<ClerkTables>,
  schema: string,
  observations: readonly Observation[],
  { isThorough }: CompareOptions,
): Promise<Comparison[]> {
  const [first] = observations
  if (first === undefined) return []
  const ids = observations.map(({ id }) => id)
  const rows = await readRows(
    database,
    qualify(schema, first.resource.table),
    'id',
    ids,
    ', raw::text as raw_text',
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  const sets = isThorough ? (first.resource.children ?? []) : []
  const children = new Map<ChildSet, ChildRows>()
  for (const set of rows.length > 0 ? sets : []) {
    const members = await readRows(database, qualify(schema, set.table), set.parentColumn, ids)
    children.set(
      set,
      Map.groupBy(members, (member) => String(member[set.parentColumn])),
    )
  }
  const absent = ids.filter((id) => !byId.has(id))
  const tombstones = await findTombstones(database, first.resource.table, absent)
  const gone = new Set(tombstones.map(({ id }) => id))
  return observations.map((observation) => {
    if (gone.has(observation.id)) return DELETED_HERE
    const row = byId.get(observation.id)
    return compareOne(observation, row, isThorough && row ? editedFields(observation, row, children) : [])
  })
}

const DELETED_HERE: Drift = { kind: 'deleted_here', fields: [] }

function readRows(
  database: Kysely<ClerkTables>,
  table: string,
  key: string,
  ids: readonly string[],
  more = '',
): Promise<StoredColumns[]> {
  const text = `select *${more} from ${table} where ${quoteIdentifier(key)} = any($1::text[])`
  return query<StoredColumns>(database, text, [ids])
}

function compareOne(
  observation: Observation,
  row: StoredColumns | undefined,
  edited: readonly string[],
): Comparison {
  // An erased row accepts nothing from Clerk.
  if (row?.erased_at) return 'newer_here'
  if (row?.deleted_at) return DELETED_HERE
  if (!row?.observed_at) return { kind: 'missing', fields: [] }
  const { raw, updatedAt } = observation.state as State
  const stored = {
    updatedAt: row.clerk_updated_at,
    observedAt: row.observed_at,
    raw: Buffer.from(row.raw_text ?? ''),
  }
  const order = compareVersions({ updatedAt, observedAt: observation.observedAt, raw }, stored)
  if (isSameState(observation, row))
    return edited.length > 0 && order >= 0 ? { kind: 'edited', fields: edited } : 'same'
  if (order < 0) return 'newer_here'
  const isNewer = (updatedAt?.getTime() ?? 0) > (row.clerk_updated_at?.getTime() ?? 0)
  return { kind: isNewer ? 'stale' : 'refreshed', fields: changedFields(raw, row) }
}

function isSameState({ resource, state }: Observation, row: StoredColumns): boolean {
  const { raw, updatedAt } = state as State
  const { shape = 'same' } = resource.api ?? {}
  if (row.raw_text === null) return false
  if (shape === 'other' && updatedAt) return updatedAt.getTime() === row.clerk_updated_at?.getTime()
  if (Buffer.from(raw).equals(Buffer.from(row.raw_text))) return true
  const [shown, stored] = [exactPayload(raw), exactPayload(row.raw_text)]
  return isDeepStrictEqual(shape === 'less' ? { ...stored, ...shown } : shown, stored)
}

/** The fields of Clerk's JSON that differ. */
function changedFields(raw: Uint8Array, row: StoredColumns): string[] {
  const [shown, stored] = [exactPayload(raw), exactPayload(row.raw_text ?? '{}')]
  const names = new Set([...Object.keys(stored), ...Object.keys(shown)])
  return [...names].filter((name) => !isDeepStrictEqual(stored[name], shown[name]))
}

/** The columns and sets that are not what the row's own state makes them. */
function editedFields(
  { resource }: Observation,
  row: StoredColumns,
  children: ReadonlyMap<ChildSet, ChildRows>,
): string[] {
  const state = JSON.parse(row.raw_text ?? '{}')
  const columns = differences(readColumns(resource.columns, state), row)
  const sets = [...children].filter(([set, rows]) => !areMembers(set, state, rows.get(row.id) ?? []))
  return [...columns, ...sets.map(([set]) => set.table)]
}

function areMembers(set: ChildSet, state: State['data'], rows: readonly StoredColumns[]): boolean {
  const members = membersOf(set, state)
  return (
    members.size === rows.length &&
    rows.every((row) => {
      const member = members.get(row.id)
      return member !== undefined && differences(readColumns(set.columns, member), row).length === 0
    })
  )
}

function differences(expected: Record<string, unknown>, row: StoredColumns): string[] {
  return Object.keys(expected).filter((name) => !isDeepStrictEqual(asStored(expected[name]), row[name]))
}

/** As it comes back from the database: JSON has no -0. */
function asStored(value: unknown): unknown {
  return typeof value === 'object' && !(value instanceof Date) ? JSON.parse(JSON.stringify(value)) : value
}
