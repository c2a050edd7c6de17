/** The synced tables as other tools describe them: names, types, keys and indexes, from the resource catalogue. */

import { CATALOGUE, CHILD_SETS } from '../clerk/catalogue.ts'
import type { Column, Columns } from '../clerk/resource.ts'
import type { ClerkTables } from '../database/tables.ts'

export type SqlType = Column['sqlType'] | 'json'

export interface ColumnDefinition {
  readonly name: string
  readonly type: SqlType
  readonly isNullable: boolean
  /** Whether the database gives it a value: the time of the write. */
  readonly hasDefault: boolean
}

export interface TableDefinition {
  readonly name: string
  readonly description: string
  readonly key: readonly string[]
  readonly columns: readonly ColumnDefinition[]
}

/**
 * Not of the members of a set: their `raw` is part of their parent's, whose row tells who showed them last, and an erased parent has no
 * members.
 */
const WHOLE = [
  nullable('raw', 'json'),
  nullable('erased_at', 'timestamptz'),
  nullable('observed_at', 'timestamptz'),
  nullable('event_id', 'text'),
]

/** What every table has beside its resource's columns. */
const STANDARD: readonly ColumnDefinition[] = [
  nullable('clerk_created_at', 'timestamptz'),
  nullable('clerk_updated_at', 'timestamptz'),
  nullable('deleted_at', 'timestamptz'),
  { name: 'synced_at', type: 'timestamptz', isNullable: false, hasDefault: true },
  nullable('instance_id', 'text'),
]

export const TABLES: readonly TableDefinition[] = [
  ...Object.values(CATALOGUE).map((resource) => define(resource, ['id'], WHOLE)),
  ...Object.values(CHILD_SETS).map((set) => define(set, [set.parentColumn, 'id'])),
]

type SyncedTable = keyof typeof CATALOGUE | keyof typeof CHILD_SETS

/** The tables beside them in the schema, which other tools must leave alone too. */
export const WORKING_TABLES: readonly string[] = Object.keys({
  alerts: true,
  api_budgets: true,
  audit_log: true,
  event_bodies: true,
  event_changes: true,
  event_minutes: true,
  event_spans: true,
  events: true,
  failure_mutes: true,
  handler_runs: true,
  handler_workers: true,
  handlers: true,
  jobs: true,
  maintenance: true,
  migrations: true,
  pending_cascades: true,
  pending_verifications: true,
  refusals: true,
  releases: true,
  retention_log: true,
  sweep_seen_ids: true,
  sweep_starts: true,
  tombstones: true,
} satisfies Record<Exclude<keyof ClerkTables, SyncedTable | `${string}_live`> | 'migrations', true>)

interface Described {
  readonly table: string
  readonly description: string
  readonly columns: Columns
}

function define(
  { table, description, columns }: Described,
  key: readonly string[],
  more: readonly ColumnDefinition[] = [],
): TableDefinition {
  const own = Object.entries(columns).map(([name, { sqlType }]) => nullable(name, sqlType))
  const keys = key.map((name) => ({ name, type: 'text', isNullable: false, hasDefault: false }) as const)
  return { name: table, description, key, columns: [...keys, ...own, ...more, ...STANDARD] }
}

function nullable(name: string, type: SqlType): ColumnDefinition {
  return { name, type, isNullable: true, hasDefault: false }
}

/** `primary_email_address` → `primaryEmailAddress` */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `organization_memberships` → `organization_membership` */
function toSingular(table: string): string {
  if (table.endsWith('ies')) return `${table.slice(0, -3)}y`
  return table.endsWith('sses') ? table.slice(0, -2) : table.slice(0, -1)
}

/** `organization_memberships` → `OrganizationMembership` */
export function toModelName(table: string): string {
  return toCamelCase(`_${toSingular(table)}`)
}

/** A column that holds the id of another table's row. No foreign key: events arrive in any order. */
export interface RelationDefinition {
  readonly table: string
  readonly column: string
  readonly target: string
}

/** Ids at the provider of a sign-in, not Clerk's. */
const FOREIGN_IDS = /^provider_/

const TARGETS = TABLES.filter(({ key }) => key.length === 1).map(({ name }) => ({
  name,
  singular: toSingular(name),
}))

/** By the names of the columns: `user_id`, `payer_user_id`. */
export const RELATIONS: readonly RelationDefinition[] = TABLES.flatMap(({ name: table, columns }) =>
  columns.flatMap(({ name: column }) => {
    const [target] = FOREIGN_IDS.test(column)
      ? []
      : TARGETS.filter(({ singular }) => `_${column}`.endsWith(`_${singular}_id`)).sort(
          (a, b) => b.singular.length - a.singular.length,
        )
    return target ? [{ table, column, target: target.name }] : []
  }),
)

/** The field that leads from a row to the one it names: `payer_user_id` → `payerUser`; `planRow` beside a column `plan` */
export function toOneField({ table, column }: RelationDefinition): string {
  const name = column.replace(/_id$/, '')
  const isTaken = TABLES.some(
    (each) => each.name === table && each.columns.some((other) => other.name === name),
  )
  return toCamelCase(isTaken ? `${name}_row` : name)
}

/** The field that leads back: `sessions`, `subscriptionsByPayerUser` */
export function toManyField({ table, column, target }: RelationDefinition): string {
  const isPlain = column === `${toSingular(target)}_id`
  return toCamelCase(isPlain ? table : `${table}_by_${column.replace(/_id$/, '')}`)
}
