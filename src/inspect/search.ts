/** Finds what an id, an address or a name belongs to: exact matches first, then prefixes, then similar names. */

import { RESOURCES } from '../clerk/catalogue.ts'
import type { Resource } from '../clerk/resource.ts'
import { quoteIdentifier } from '../database/identifier.ts'
import { ClerkSyncError } from '../errors.ts'
import { maskText } from './masking.ts'
import type { SearchHit } from './model.ts'
import { Parameters, type Reading, type ReadSource, read } from './reading.ts'
import { findIds } from './resources.ts'
import { labelOf, showLabel } from './subjects.ts'

const MAX_HITS = 20
/** As long as an id or an address may be. */
const MAX_LENGTH = 320
/** One letter is like everything. */
const MIN_SIMILAR_LENGTH = 2
/** No index leads to the middle of a name: tables are scanned, as long as somebody waits at a keyboard. */
const SCAN_TIMEOUT_MS = 800

export interface SearchScope {
  readonly isMasked: boolean
  /**
   * Whether prefixes and parts of personal data may match. They let a person spell out, letter by letter, what is masked.
   */
  readonly findsPersonal: boolean
}

export interface Found {
  readonly hits: readonly SearchHit[]
  /** The tables were too large to look inside of names: only exact matches and prefixes were found. */
  readonly isPartial: boolean
}

/** @throws {ClerkSyncError} `database_…` */
export async function search(source: ReadSource, text: string, scope: SearchScope): Promise<Found> {
  const wanted = text.trim()
  if (wanted === '' || wanted.length > MAX_LENGTH || wanted.includes('\u0000')) {
    return { hits: [], isPartial: false }
  }
  const exact = await read(source, (reading) => findExact(reading, wanted, scope))
  if (wanted.length < MIN_SIMILAR_LENGTH || exact.length >= MAX_HITS) return { hits: exact, isPartial: false }
  const prefixed = await read(source, (reading) => findPrefixed(reading, wanted, scope))
  const similar = await read(source, (reading) => findSimilar(reading, wanted, scope), SCAN_TIMEOUT_MS).catch(
    emptyIfTooLarge,
  )
  return { hits: distinct([...exact, ...prefixed, ...(similar ?? [])]), isPartial: similar === undefined }
}

function emptyIfTooLarge(error: unknown): undefined {
  if (error instanceof ClerkSyncError && error.code === 'database_timeout') return undefined
  throw error
}

function distinct(hits: readonly SearchHit[]): SearchHit[] {
  const byResource = new Map<string, SearchHit>()
  for (const hit of hits) {
    const key = `${hit.kind} ${hit.resource} ${hit.id}`
    if (!byResource.has(key)) byResource.set(key, hit)
  }
  return [...byResource.values()].slice(0, MAX_HITS)
}

/** Each is one step along an index. */
async function findExact(reading: Reading, wanted: string, { isMasked }: SearchScope): Promise<SearchHit[]> {
  const hits = [
    ...(await findByKey(reading, 'events', 'id', 'event', wanted)),
    ...(await findByKey(reading, 'jobs', 'id', 'job', wanted)),
    ...(await findByKey(reading, 'handlers', 'name', 'handler', wanted)),
  ]
  for (const table of RESOURCES.keys()) {
    if (hits.length >= MAX_HITS) break
    for (const { id, field } of await findIds(reading, table, wanted)) {
      const title = field === 'id' ? id : `${id} · ${isMasked ? maskText(wanted) : wanted}`
      hits.push({ kind: 'resource', id, resource: table, title, field })
    }
  }
  return hits.slice(0, MAX_HITS)
}

async function findByKey(
  reading: Reading,
  table: string,
  column: string,
  kind: SearchHit['kind'],
  wanted: string,
): Promise<SearchHit[]> {
  const rows = await reading.query<{ id: string }>(
    `select ${column} as id from ${reading.table(table)} where ${column} = $1`,
    [wanted],
  )
  return rows.map(({ id }) => ({ kind, id, resource: null, title: id, field: column }))
}

interface Match {
  readonly resource: string
  readonly id: string
  readonly label: string | null
  readonly field: string
}

/** What begins with the text, along the indexes, which are ordered by bytes. Addresses are kept in lower case. */
function findPrefixed(reading: Reading, wanted: string, scope: SearchScope): Promise<SearchHit[]> {
  const parameters = new Parameters()
  const patterns = [...new Set([wanted, wanted.toLowerCase()])].map((text) =>
    parameters.add(`${escapeLike(text)}%`),
  )
  const queries = [...RESOURCES.values()].flatMap((resource) => {
    const { table, indexes = [], children = [] } = resource
    const own = indexes
      .filter((column) => isFindable(resource.columns[column]?.privacy, scope))
      .map((column) => prefixQuery(reading, table, patterns, parameters, column))
    const inChildren = children.flatMap((child) =>
      (child.indexes ?? [])
        .filter((column) => isFindable(child.columns[column]?.privacy, scope))
        .map((column) => prefixQuery(reading, table, patterns, parameters, column, child)),
    )
    return [...own, ...inChildren]
  })
  return toHits(reading, queries, parameters, scope)
}

function prefixQuery(
  reading: Reading,
  table: string,
  patterns: readonly string[],
  parameters: Parameters,
  column: string,
  child?: { readonly table: string; readonly parentColumn: string },
): string {
  const name = quoteIdentifier(column)
  const searched = child?.table ?? table
  const field = child ? `${child.table}.${column}` : column
  const condition = patterns.map((pattern) => `found.${name} like ${pattern}`).join(' or ')
  const join = child
    ? `join ${reading.table(table)} as row on row.id = found.${quoteIdentifier(child.parentColumn)}`
    : ''
  return `(select ${parameters.add(table)}::text as resource, ${child ? 'row' : 'found'}.id, ${labelOf(table, child ? 'row' : 'found')},
      ${parameters.add(field)}::text as field
    from ${reading.table(searched)} as found ${join} where ${condition} limit ${MAX_HITS})`
}

/** Names that hold the letters in this order: `gho` finds Grace Hopper. The closest first. */
function findSimilar(reading: Reading, wanted: string, scope: SearchScope): Promise<SearchHit[]> {
  const parameters = new Parameters()
  const letters = parameters.add(`%${[...wanted].map(escapeLike).join('%')}%`)
  const part = parameters.add(`%${escapeLike(wanted)}%`)
  const queries = [...RESOURCES.values()].flatMap((resource) => {
    const names = namesOf(resource, scope)
    if (names.length === 0) return []
    const { table } = resource
    const values = names.map(({ field, sql }) => `(${parameters.add(field)}::text, ${sql})`)
    return [
      `(select ${parameters.add(table)}::text as resource, row.id, ${labelOf(table, 'row')}, name.field
        from ${reading.table(table)} as row cross join lateral (values ${values.join(', ')}) as name (field, value)
        where row.deleted_at is null and name.value ilike ${letters}
        order by name.value not ilike ${part}, length(name.value), row.id limit ${MAX_HITS})`,
    ]
  })
  return toHits(reading, queries, parameters, scope)
}

interface Name {
  readonly field: string
  readonly sql: string
}

const NAMING = ['name', 'slug', 'username', 'primary_email_address', 'email_address']

/** What a row can be called, where it may be looked into. */
function namesOf({ columns }: Resource, scope: SearchScope): Name[] {
  const names = NAMING.filter(
    (column) => column in columns && isFindable(columns[column]?.privacy, scope),
  ).map((column) => ({ field: column, sql: `row.${quoteIdentifier(column)}` }))
  const isPerson = 'first_name' in columns && 'last_name' in columns && scope.findsPersonal
  return isPerson
    ? [{ field: 'name', sql: `concat_ws(' ', row.first_name, row.last_name)` }, ...names]
    : names
}

function isFindable(privacy: string | undefined, { findsPersonal }: SearchScope): boolean {
  return privacy === undefined || findsPersonal
}

async function toHits(
  reading: Reading,
  queries: readonly string[],
  parameters: Parameters,
  { isMasked }: SearchScope,
): Promise<SearchHit[]> {
  if (queries.length === 0) return []
  const rows = await reading.query<Match>(queries.join(' union all '), parameters.values)
  return rows.map(({ resource, id, label, field }) => {
    const shown = showLabel(resource, label, isMasked)
    return { kind: 'resource', id, resource, title: shown === null ? id : `${shown} · ${id}`, field }
  })
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, String.raw`\$&`)
}
