/** The SQL by which a deletion changes a row more than by its mark: under the policies `anonymise` and `hard`. */

import { type DeletionPolicy, personalColumns } from '../clerk/deletion.ts'
import type { Resource } from '../clerk/resource.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { CASCADE_COLUMNS, rowsOf, TOMBSTONE_COLUMNS } from './rows.ts'
import { hashedRaw } from './version.ts'

export interface AfterDeletion {
  /** Empties what rows and their sets say of people. $1 ids */
  readonly anonymise: string
  /** Removes rows, and leaves tombstones. An erased row stays, as its own tombstone. */
  readonly remove: string
  /** Removes tombstones: the row is there again. $1 ids */
  readonly forgetTombstones: string
}

export function afterDeletion(resource: Resource, schema: string): AfterDeletion {
  const table = qualify(schema, resource.table)
  const sets = removedSets(resource, schema)
  return {
    anonymise: `
      ${sets.length > 0 ? `with ${sets}` : ''}
      update ${table} as stored set ${anonymisedColumns(resource, 'stored')}
      where id = any($1::text[]) and deleted_at is not null`,
    remove: `
      with removed as (delete from ${table} where id = any($1::text[]) and erased_at is null)${sets.map((set) => `, ${set}`).join('')}
      ${intoTombstones(schema)} select '${resource.table}', "row".* from ${rowsOf(TOMBSTONE_COLUMNS)} order by "row".id
      ${ON_TOMBSTONE}`,
    forgetTombstones: `
      delete from ${qualify(schema, 'tombstones')} where resource = '${resource.table}' and id = any($1::text[])`,
  }
}

function removedSets({ children = [] }: Resource, schema: string): string[] {
  return children.map(
    ({ table, parentColumn }, index) =>
      `set_${index} as (delete from ${qualify(schema, table)} where ${quoteIdentifier(parentColumn)} = any($1::text[]))`,
  )
}

function anonymisedColumns(resource: Resource, row: string): string {
  const emptied = personalColumns(resource).map((name) => `${quoteIdentifier(name)} = null`)
  return [...emptied, `raw = ${hashedRaw(`${row}.raw`)}`].join(', ')
}

function intoTombstones(schema: string): string {
  return `insert into ${qualify(schema, 'tombstones')} as known (resource, id, deleted_at, event_id, instance_id)`
}

/**
 * Of two deletions of one resource the earlier counts, and at the same time that of the smaller event id, in whatever order
 * they commit. `earliest` in `fold.ts` is the same.
 */
export function isEarlier(deletion: string, known: string): string {
  const keyOf = (row: string) => `(${row}.deleted_at, coalesce(${row}.event_id, '') collate "C")`
  return `${keyOf(deletion)} < ${keyOf(known)}`
}

const ON_TOMBSTONE = `
  on conflict (resource, id) do update set deleted_at = excluded.deleted_at, event_id = excluded.event_id
  where ${isEarlier('excluded', 'known')}`

/** Where a deletion goes on to. */
interface Dependants {
  readonly resource: Resource
  /** Which names the parent. */
  readonly column: string
  readonly schema: string
  readonly policy: DeletionPolicy | undefined
}

/** The deletion of parents goes on to rows that name them. */
export function cascadeStatement(dependants: Dependants): string {
  const table = qualify(dependants.schema, dependants.resource.table)
  const parent = quoteIdentifier(dependants.column)
  return `
    with gone as (
      select stored.id, "row".deleted_at, "row".event_id, stored.instance_id
      from ${rowsOf(CASCADE_COLUMNS)} join ${table} as stored on stored.${parent} = "row".id
      where stored.${parent} = any($1) and (stored.deleted_at is null or ${isEarlier('"row"', 'stored')})
      order by stored.id for update of stored
    ), ${deleteGone(dependants, 'and stored.id = any(array(select id from gone))')}
    select from changed limit 0`
}

/**
 * After `gone`, locked rows with their deletion: makes them deleted, which `changed` counts.
 * @param condition where the plan is made without knowing how many they are
 */
export function deleteGone({ resource, schema, policy }: Omit<Dependants, 'column'>, condition = ''): string {
  const table = qualify(schema, resource.table)
  if (policy === 'hard')
    return `removed as (
      delete from ${table} where id = any(array(select id from gone)) and erased_at is null returning id
    ), changed as (
      ${intoTombstones(schema)}
      select '${resource.table}', id, deleted_at, event_id, instance_id from gone join removed using (id) order by id
      ${ON_TOMBSTONE} returning 1
    )`
  const emptied = policy === 'anonymise' ? `, ${anonymisedColumns(resource, 'stored')}` : ''
  return `changed as (
      update ${table} as stored set deleted_at = gone.deleted_at, event_id = gone.event_id, synced_at = now()${emptied}
      from gone where stored.id = gone.id ${condition} returning 1
    )`
}
