/** The mirrored tables, row by row. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { parseExact } from '../clerk/exact-json.ts'
import type { ChildSet, Resource } from '../clerk/resource.ts'
import { quoteIdentifier } from '../database/identifier.ts'
import { ClerkSyncError } from '../errors.ts'
import { type PageRequest, readCursor, toPage } from './cursor.ts'
import { maskJson } from './masking.ts'
import type { PageOf, ResourceDetail, ResourceItem, ResourceKind, ResourceLink } from './model.ts'
import { countLiveRows } from './quantity.ts'
import { Parameters, type Reading, toTime } from './reading.ts'
import { type NamedRow, namesOf, showNames } from './subjects.ts'

/** What belongs to a resource is shown up to this many; lists go on from there. */
const LINKED = 10

export async function readKinds(
  reading: Reading,
  isEnabled: (resource: string) => boolean,
): Promise<ResourceKind[]> {
  const kinds: ResourceKind[] = []
  for (const { table, description, indexes = [], children = [] } of RESOURCES.values()) {
    kinds.push({
      resource: table,
      description,
      searchable: [...indexes],
      children: children.map((child) => child.table),
      isEnabled: isEnabled(table),
      count: await countLiveRows(reading, table),
    })
  }
  return kinds
}

/** @throws {ClerkSyncError} `resource_not_found` for what is no table */
export function requireResource(name: string): Resource {
  const resource = RESOURCES.get(name)
  if (resource === undefined) throw new ClerkSyncError('resource_not_found', name)
  return resource
}

export interface ResourceConditions {
  /** Exactly an id, or the value of a searchable column. */
  readonly q?: string | undefined
  readonly deleted?: boolean | undefined
  /** Rows whose column has this value. */
  readonly link?: { readonly column: string; readonly id: string } | undefined
}

interface ItemRow extends NamedRow {
  readonly id: string
  readonly clerk_created_at: Date | null
  readonly clerk_updated_at: Date | null
  readonly synced_at: Date
  readonly deleted_at: Date | null
  readonly event_id: string | null
}

const ITEM_COLUMNS = [
  'id',
  'clerk_created_at',
  'clerk_updated_at',
  'synced_at',
  'deleted_at',
  'event_id',
].map((column) => `row.${column}`)

/** Rows of a table by id, the last first: Clerk's ids begin with the time they were made at. */
export async function listResources(
  reading: Reading,
  { table }: Resource,
  conditions: ResourceConditions,
  { limit, cursor }: PageRequest,
  isMasked: boolean,
): Promise<PageOf<ResourceItem>> {
  const { q, deleted, link } = conditions
  const position = readCursor(cursor, ['id'])
  const parameters = new Parameters()
  const ids = q === undefined ? undefined : (await findIds(reading, table, q)).map(({ id }) => id)
  const where = [
    ids && `row.id = any(${parameters.add(ids)}::text[])`,
    link && `row.${quoteIdentifier(link.column)} = ${parameters.add(link.id)}`,
    deleted !== undefined && `row.deleted_at is ${deleted ? 'not null' : 'null'}`,
    position && `row.id < ${parameters.add(position[0])}`,
  ].filter(Boolean)
  const rows = await reading.query<ItemRow>(
    `select ${ITEM_COLUMNS}, ${namesOf(reading, table, 'row')} from ${reading.table(table)} as row
     ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
     order by row.id desc limit ${parameters.add(limit + 1)}`,
    parameters.values,
  )
  const items = rows.map((row) => toItem(table, row, isMasked))
  return toPage(rows, limit, items, ({ id }) => [id])
}

function toItem(resource: string, row: ItemRow, isMasked: boolean): ResourceItem {
  return {
    resource,
    id: row.id,
    ...showNames(resource, row, isMasked),
    clerkCreatedAt: toTime(row.clerk_created_at),
    clerkUpdatedAt: toTime(row.clerk_updated_at),
    syncedAt: toTime(row.synced_at),
    deletedAt: toTime(row.deleted_at),
    eventId: row.event_id,
  }
}

/** A row that a search found, and the field by which. */
export interface FoundRow {
  readonly id: string
  readonly field: string
}

/** More rows than this share no address. */
const MAX_FOUND = 20

/** Rows whose id, or a column with an index, is exactly this. Addresses are looked for in lower case as well. */
export async function findIds(reading: Reading, table: string, text: string): Promise<FoundRow[]> {
  const { indexes = [], children = [] } = requireResource(table)
  const parameters = new Parameters()
  const texts = parameters.add([...new Set([text, text.toLowerCase()])])
  const find = (from: string, column: string, id: string, field: string) => `
    (select ${id} as id, ${parameters.add(field)}::text as field from ${reading.table(from)}
     where ${quoteIdentifier(column)} = any(${texts}::text[]) limit ${MAX_FOUND})`
  const queries = [
    find(table, 'id', 'id', 'id'),
    ...indexes.map((column) => find(table, column, 'id', column)),
    ...children.flatMap((child) =>
      (child.indexes ?? []).map((column) => find(child.table, column, 'user_id', `${child.table}.${column}`)),
    ),
  ]
  const rows = await reading.query<FoundRow>(queries.join(' union all '), parameters.values)
  return [...new Map(rows.map((row) => [row.id, row])).values()].slice(0, MAX_FOUND)
}

type StoredRow = ItemRow & {
  readonly instance_id: string | null
  readonly observed_at: Date | null
  readonly raw_text: string | null
  readonly [column: string]: unknown
}

/** @throws {ClerkSyncError} `resource_not_found` */
export async function getResource(
  reading: Reading,
  resource: Resource,
  id: string,
  isMasked: boolean,
): Promise<ResourceDetail> {
  const { table, columns, children = [] } = resource
  const [stored] = await reading.query<StoredRow>(
    `select row.*, row.raw::text as raw_text, ${namesOf(reading, table, 'row')} from ${reading.table(table)} as row
     where row.id = $1`,
    [id],
  )
  if (stored === undefined) throw new ClerkSyncError('resource_not_found', `${table}/${id}`)
  const shown = (value: unknown) => (isMasked ? maskJson(value) : value)
  return {
    ...toItem(table, stored, isMasked),
    instanceId: stored.instance_id,
    observedAt: toTime(stored.observed_at),
    row: shown(pick(stored, Object.keys(columns))) as Record<string, unknown>,
    raw: stored.raw_text && (isMasked ? JSON.stringify(shown(parseExact(stored.raw_text))) : stored.raw_text),
    isMasked,
    children: await readChildren(reading, children, id, shown),
    links: await readLinks(reading, resource, stored, isMasked),
    clerkUrl: null,
    sql: `select * from ${reading.table(table)} where id = '${id.replaceAll("'", "''")}'`,
  }
}

async function readChildren(
  reading: Reading,
  children: readonly ChildSet[],
  id: string,
  shown: (value: unknown) => unknown,
): Promise<ResourceDetail['children']> {
  const sets: { table: string; rows: Record<string, unknown>[] }[] = []
  for (const { table, columns } of children) {
    const rows = await reading.query<Record<string, unknown>>(
      `select * from ${reading.table(table)} where user_id = $1 order by id limit 100`,
      [id],
    )
    const kept = rows.map((row) => shown(pick(row, ['id', ...Object.keys(columns)])))
    if (rows.length > 0) sets.push({ table, rows: kept as Record<string, unknown>[] })
  }
  return sets
}

/** What it belongs to, then what belongs to it. */
async function readLinks(
  reading: Reading,
  { table, parents = {} }: Resource,
  row: StoredRow,
  isMasked: boolean,
): Promise<ResourceLink[]> {
  const links: ResourceLink[] = []
  for (const [column, parent] of Object.entries(parents)) {
    const id = row[column]
    if (typeof id !== 'string') continue
    links.push(await readLink(reading, requireResource(parent), 'id', id, isMasked))
  }
  for (const member of RESOURCES.values()) {
    for (const [column, parent] of Object.entries(member.parents ?? {})) {
      if (parent === table) links.push(await readLink(reading, member, column, row.id, isMasked))
    }
  }
  return links.filter(({ items }) => items.length > 0)
}

async function readLink(
  reading: Reading,
  resource: Resource,
  column: string,
  id: string,
  isMasked: boolean,
): Promise<ResourceLink> {
  const { items, nextCursor } = await listResources(
    reading,
    resource,
    { link: { column, id } },
    { limit: LINKED },
    isMasked,
  )
  return { resource: resource.table, column, items, hasMore: nextCursor !== null }
}

/** Dates become text, as everywhere in what people are shown. */
function pick(row: Readonly<Record<string, unknown>>, columns: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column) => {
      const value = row[column]
      return [column, value instanceof Date ? value.toISOString() : value]
    }),
  )
}
