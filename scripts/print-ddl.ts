/** Prints the tables that the catalogue describes, to be frozen in a migration. */

import { CHILD_SETS, RESOURCES } from '../src/clerk/catalogue.ts'
import type { ChildSet, Columns, Expiry, Resource } from '../src/clerk/resource.ts'

/** In every table. The sets inside a resource have no others: what was observed, and by which event, stands in the resource's row. */
const OF_SETS = [
  'clerk_created_at timestamptz',
  'clerk_updated_at timestamptz',
  'deleted_at timestamptz',
  'synced_at timestamptz not null default now()',
  'instance_id text',
]
const OF_RESOURCES = OF_SETS.toSpliced(2, 0, 'observed_at timestamptz').toSpliced(5, 0, 'event_id text')

function createTable(
  table: string,
  key: string[],
  primaryKey: string,
  columns: Columns,
  standard: string[],
): string {
  const own = Object.entries(columns).map(([name, column]) => `${name} ${column.sqlType}`)
  const lines = [...key, ...own, ...standard, `primary key (${primaryKey})`]
  return `create table ${table} (\n${lines.map((line) => `  ${line}`).join(',\n')}\n) with (toast_tuple_target = 8160);`
}

function createIndex(table: string, columns: string): string {
  return `create index on ${table} (${columns});`
}

/** Ordered by bytes, which serves equality and, whatever the database's collation is, prefixes. */
function createKeyIndex(table: string, column: string): string {
  return createIndex(table, `${column} text_pattern_ops`)
}

/** With the id behind it: a huge deletion goes through what belongs to a parent in the order of ids. */
function createParentIndex(table: string, column: string): string {
  return createIndex(table, `${column}, id`)
}

/** Leads to what is over, and holds nothing but what is open. */
function createExpiryIndex(table: string, { open, ends }: Expiry): string {
  const statuses = open.map((status) => `'${status}'`).join(', ')
  const isOpen = `deleted_at is null and status in (${statuses})`
  return `create index on ${table} (least(${Object.keys(ends).join(', ')})) where ${isOpen};`
}

/** Leads to what has not been written for long. */
function createForgettingIndex(table: string, expiry: Expiry | undefined): string {
  if (!expiry) return createIndex(table, 'synced_at')
  const statuses = expiry.open.map((status) => `'${status}'`).join(', ')
  return `create index on ${table} (synced_at) where deleted_at is not null or status not in (${statuses});`
}

/** Leads to who is due for erasure, without a look at anybody else. */
function createErasureIndex(table: string): string {
  return `create index on ${table} (deleted_at) where deleted_at is not null and erased_at is null;`
}

function resourceDdl(resource: Resource): string {
  const { table, columns, indexes = [], parents = {}, expiry, forgotten } = resource
  return [
    createTable(table, ['id text not null'], 'id', columns, [
      'raw json',
      'erased_at timestamptz',
      ...OF_RESOURCES,
    ]),
    ...Object.keys(parents).map((c) => createParentIndex(table, c)),
    ...indexes.map((c) => createKeyIndex(table, c)),
    ...(table === 'users' ? [createErasureIndex(table)] : []),
    ...(expiry ? [createExpiryIndex(table, expiry)] : []),
    ...(forgotten ? [createForgettingIndex(table, forgotten === 'ended' ? expiry : undefined)] : []),
  ].join('\n')
}

function childDdl(childSet: ChildSet): string {
  const { table, parentColumn, columns, indexes = [] } = childSet
  const ids = [`${parentColumn} text not null`, 'id text not null']
  return [
    createTable(table, ids, `${parentColumn}, id`, columns, OF_SETS),
    ...indexes.map((c) => createKeyIndex(table, c)),
  ].join('\n')
}

/** Its columns are those that the table has now: who adds one makes the view anew. */
function createLiveView(table: string): string {
  return `create view ${table}_live as select * from ${table} where deleted_at is null;`
}

/** A view would otherwise show its owner's rows to everybody, whatever the tables' row level security says. Since 15. */
const SECURE_VIEWS = `do $$ declare live text; begin
  if current_setting('server_version_num')::int >= 150000 then
    for live in select viewname from pg_views where schemaname = current_schema() and right(viewname, 5) = '_live' loop
      execute format('alter view %I set (security_invoker = true)', live); end loop; end if; end $$;`

const tables = [...RESOURCES.keys(), ...Object.keys(CHILD_SETS)]
const statements = [
  ...[...RESOURCES.values()].map(resourceDdl),
  ...Object.values(CHILD_SETS).map((c) => childDdl(c)),
]
const views = [...tables.map(createLiveView), SECURE_VIEWS].join('\n')
console.log([...statements, views].join('\n\n'))
