/** The synced tables as other tools describe them: names, types, keys and indexes, from the resource catalogue. */

import { CATALOGUE, CHILD_SETS } from '../../clerk/catalogue.ts'
import type { Column, Columns } from '../../clerk/resource.ts'

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

/** Not of the members of a set: their `raw` is part of their parent's, and an erased parent has no members. */
const WHOLE = [nullable('raw', 'json'), nullable('erased_at', 'timestamptz')]

/** What every table has beside its resource's columns. */
const STANDARD: readonly ColumnDefinition[] = [
  nullable('clerk_created_at', 'timestamptz'),
  nullable('clerk_updated_at', 'timestamptz'),
  nullable('observed_at', 'timestamptz'),
  nullable('deleted_at', 'timestamptz'),
  { name: 'synced_at', type: 'timestamptz', isNullable: false, hasDefault: true },
  nullable('event_id', 'text'),
  nullable('instance_id', 'text'),
]

export const TABLES: readonly TableDefinition[] = [
  ...Object.values(CATALOGUE).map((resource) => define(resource, ['id'], WHOLE)),
  ...Object.values(CHILD_SETS).map((set) => define(set, [set.parentColumn, 'id'])),
]

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
