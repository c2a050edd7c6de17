/**
 * Compares the tables with a simulated Clerk: the proof that every event arrived and was applied rightly.
 *
 * Reads in batches, so that only Clerk's side is in memory as a whole.
 */

import { isDeepStrictEqual } from 'node:util'
import { type Kysely, sql } from 'kysely'
import { RESOURCES, type ResourceName } from '../clerk/catalogue.ts'
import { toDate } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import {
  type ChildSet,
  type Columns,
  listOf,
  type Resource,
  readColumns,
  readSource,
} from '../clerk/resource.ts'
import { redact } from '../clerk/secrets.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { SimulatedClerk } from './simulated-clerk.ts'

export interface TableComparison {
  readonly table: string
  /** How many live rows Clerk has. */
  readonly expected: number
  /** How many live rows the table has. */
  readonly actual: number
  /** How many values differ. A row that is missing, too many or deleted in Clerk counts once. */
  readonly differenceCount: number
  /** The first 20 of them. */
  readonly differences: readonly Difference[]
}

/** A value that is not Clerk's. */
export interface Difference {
  readonly id: string
  /** `id` if the row is missing or too many, `deleted_at` if it was deleted in Clerk. */
  readonly column: string
  readonly expected: unknown
  readonly actual: unknown
}

export interface CompareOptions {
  /**
   * Whether a column of a table is compared. Rows that are missing or too many are always found.
   * @default all are
   */
  isCompared?: ((table: string, column: string) => boolean) | undefined
}

const MAX_DIFFERENCES = 20
const BATCH_SIZE = 500

/**
 * Compares the live rows of every table with the live resources of a simulated Clerk, column by column.
 *
 * @example
 * const comparisons = await compareTables(sync.database, clerk)
 * expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
 *
 * @param database the tables, as `sync.database`
 */
export async function compareTables(
  database: Kysely<ClerkTables>,
  clerk: Pick<SimulatedClerk, 'resources' | 'deletedIds'>,
  options: CompareOptions = {},
): Promise<TableComparison[]> {
  const { isCompared = () => true } = options
  const comparisons: TableComparison[] = []
  for (const resource of RESOURCES.values()) {
    const name = resource.table as ResourceName
    const source = { live: clerk.resources(name), deleted: clerk.deletedIds(name), resource }
    for (const layout of layoutsOf(resource)) {
      comparisons.push(await compareTable(database, source, layout, isCompared))
    }
  }
  return comparisons
}

/** A kind of resource as Clerk has it. */
interface Source {
  readonly resource: Resource
  readonly live: ReadonlyMap<string, Payload>
  readonly deleted: ReadonlySet<string>
}

/** A table that holds resources, or a set within them. */
interface Layout {
  readonly table: string
  readonly columns: Columns
  /** The column with the id of the resource that a row is, or belongs to. */
  readonly owner: string
  /** The columns that every table of its kind has. */
  readonly standard: readonly string[]
  /** The rows of one resource. */
  readonly rowsOf: (resource: Payload) => Row[]
}

type Row = Record<string, unknown> & { id: string }

const CLOCKS = ['clerk_created_at', 'clerk_updated_at']

function layoutsOf(resource: Resource): Layout[] {
  const { table, columns, createdAt = 'created_at' } = resource
  const toRow = (data: Payload) => ({
    ...standardColumns(data),
    ...readColumns(columns, data),
    clerk_created_at: toDate(readSource(createdAt, data)),
  })
  const standard = [...CLOCKS, 'raw']
  const main: Layout = { table, columns, owner: 'id', standard, rowsOf: (data) => [toRow(data)] }
  return [main, ...(resource.children ?? []).map(childLayout)]
}

function childLayout({ table, columns, field, parentColumn }: ChildSet): Layout {
  return {
    table,
    columns,
    owner: parentColumn,
    standard: CLOCKS,
    rowsOf: (data) =>
      listOf(data[field]).map((member) => {
        const { raw: _, ...standard } = standardColumns(member)
        return { ...standard, ...readColumns(columns, member), [parentColumn]: data.id }
      }),
  }
}

function standardColumns(data: Payload) {
  return {
    id: String(data.id),
    clerk_created_at: toDate(data.created_at),
    clerk_updated_at: toDate(data.updated_at),
    raw: JSON.stringify(data),
  }
}

async function compareTable(
  database: Kysely<ClerkTables>,
  source: Source,
  layout: Layout,
  isCompared: NonNullable<CompareOptions['isCompared']>,
): Promise<TableComparison> {
  const tally = new Tally(layout, (column) => isCompared(layout.table, column))
  for (const ids of batches(source.live.keys())) {
    tally.compare(expectedRows(source, layout, ids), await liveRows(database, layout, ids))
  }
  for await (const owners of ownersIn(database, layout)) {
    const strangers = owners.filter((id) => !source.live.has(id))
    if (strangers.length > 0) tally.refuse(await liveRows(database, layout, strangers), source.deleted)
  }
  return tally.result()
}

function expectedRows({ resource, live }: Source, layout: Layout, ids: readonly string[]): Row[] {
  return ids.flatMap((id) => {
    const data = live.get(id) as Payload
    const secrets = resource.secrets?.(data) ?? []
    return layout.rowsOf(secrets.length > 0 ? redact(data, secrets) : data)
  })
}

async function liveRows(
  database: Kysely<ClerkTables>,
  layout: Layout,
  owners: readonly string[],
): Promise<Row[]> {
  const { table, columns, owner, standard } = layout
  const names = ['id', owner, ...Object.keys(columns), ...standard]
  return database
    .selectFrom(table as 'users')
    .select([...new Set(names)].map((name) => (name === 'raw' ? rawText : (name as 'id'))))
    .where(owner as 'id', 'in', owners)
    .where('deleted_at', 'is', null)
    .execute()
}

/** `raw` is compared as text: it is kept to the letter. */
const rawText = sql<string>`raw::text`.as('raw')

/** The ids of the resources that a table has live rows of. */
async function* ownersIn(database: Kysely<ClerkTables>, { table, owner }: Layout): AsyncGenerator<string[]> {
  let after = ''
  for (;;) {
    const rows = await database
      .selectFrom(table as 'users')
      .select(sql.ref<string>(owner).as('owner'))
      .distinct()
      .where('deleted_at', 'is', null)
      .where(owner as 'id', '>', after)
      .orderBy('owner')
      .limit(BATCH_SIZE)
      .execute()
    yield rows.map((row) => row.owner)
    if (rows.length < BATCH_SIZE) return
    after = rows.at(-1)?.owner ?? ''
  }
}

function* batches(ids: Iterable<string>): Generator<string[]> {
  let batch: string[] = []
  for (const id of ids) {
    batch.push(id)
    if (batch.length < BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** What the comparison of one table has found so far. */
class Tally {
  readonly #layout: Layout
  readonly #isCompared: (column: string) => boolean
  readonly #differences: Difference[] = []
  #differenceCount = 0
  #expected = 0
  #actual = 0

  constructor(layout: Layout, isCompared: (column: string) => boolean) {
    this.#layout = layout
    this.#isCompared = isCompared
  }

  compare(expected: readonly Row[], actual: readonly Row[]): void {
    this.#expected += expected.length
    this.#actual += actual.length
    const unmatched = new Map(actual.map((row) => [this.#keyOf(row), row]))
    for (const row of expected) {
      const found = unmatched.get(this.#keyOf(row))
      unmatched.delete(this.#keyOf(row))
      if (found) this.#compareRows(row, found)
      else this.#add({ id: row.id, column: 'id', expected: row.id, actual: null })
    }
    for (const { id } of unmatched.values()) this.#add({ id, column: 'id', expected: null, actual: id })
  }

  /** Rows whose resource Clerk does not have. */
  refuse(rows: readonly Row[], deleted: ReadonlySet<string>): void {
    this.#actual += rows.length
    for (const row of rows) {
      const { id } = row
      const wasDeleted = deleted.has(String(row[this.#layout.owner]))
      this.#add(
        wasDeleted
          ? { id, column: 'deleted_at', expected: 'a time', actual: null }
          : { id, column: 'id', expected: null, actual: id },
      )
    }
  }

  result(): TableComparison {
    return {
      table: this.#layout.table,
      expected: this.#expected,
      actual: this.#actual,
      differenceCount: this.#differenceCount,
      differences: this.#differences,
    }
  }

  #compareRows(expected: Row, actual: Row): void {
    for (const [column, value] of Object.entries(expected)) {
      if (!this.#isCompared(column) || isDeepStrictEqual(value, actual[column])) continue
      this.#add({ id: expected.id, column, expected: value, actual: actual[column] })
    }
  }

  #add(difference: Difference): void {
    this.#differenceCount++
    if (this.#differences.length < MAX_DIFFERENCES) this.#differences.push(difference)
  }

  /** Two users can have members of one id: then each is a row. */
  #keyOf(row: Row): string {
    return `${row[this.#layout.owner]} ${row.id}`
  }
}
