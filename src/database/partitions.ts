/**
 * The partitions of the parts of events that retention deletes. Each is named after its first day and the day after its
 * last, in UTC. `migrate` and maintenance create them ahead; rows without a partition go into the default one.
 */

import { type Kysely, sql, type Transaction } from 'kysely'
import { EVENT_PARTS, type EventPart } from './event-parts.ts'
import { qualify } from './identifier.ts'
import { query } from './query.ts'
import type { ClerkTables } from './tables.ts'

/** A partition by time. */
export interface Leaf {
  readonly table: EventPart
  readonly name: string
  readonly from: Date
  /** Exclusive. */
  readonly until: Date
}

type Width = 'day' | 'week' | 'month'

const DAY_MS = 86_400_000
/** Long enough for maintenance that runs seldom or is forgotten for a while. */
const AHEAD_MS: Readonly<Record<Width, number>> = { day: 14 * DAY_MS, week: 28 * DAY_MS, month: 62 * DAY_MS }
/** A partition is forgotten as a whole, so that its width is how much longer its first row is kept. */
const DAYS_FOR_MONTHS = 60
const DAYS_FOR_WEEKS = 14
/** Attaching a partition locks none that deliveries write, and waits only for those who read the default one. */
const LOCK_TIMEOUT = '1s'

/** @param keptDays null: for ever */
function widthFor(keptDays: number | null): Width {
  if (keptDays === null || keptDays >= DAYS_FOR_MONTHS) return 'month'
  return keptDays >= DAYS_FOR_WEEKS ? 'week' : 'day'
}

/** The partitions by time of a table, the oldest first. */
export async function leavesOf(
  executor: Kysely<ClerkTables>,
  schema: string,
  table: EventPart,
): Promise<Leaf[]> {
  const rows = await query<{ name: string }>(
    executor,
    `select child.relname as name from pg_inherits
     join pg_class as child on child.oid = inhrelid
     where inhparent = $1::regclass order by child.relname`,
    [qualify(schema, table)],
  )
  return rows.flatMap(({ name }) => toLeaf(table, name) ?? [])
}

/**
 * Makes the partitions that are missing from now on. Where the default partition holds rows already, the next one begins on
 * the day after them: Postgres refuses a partition whose rows are elsewhere.
 *
 * @param keptDays by table; null: for ever
 * @returns the names of those that were made
 */
export async function makePartitions(
  database: Kysely<ClerkTables>,
  schema: string,
  keptDays: Readonly<Record<EventPart, number | null>>,
): Promise<string[]> {
  const made: string[] = []
  for (const table of Object.keys(EVENT_PARTS) as EventPart[]) {
    const width = widthFor(keptDays[table])
    if ((await missing(database, schema, table, width)).length === 0) continue
    made.push(...(await database.transaction().execute((trx) => attachMissing(trx, schema, table, width))))
  }
  return made
}

async function attachMissing(
  trx: Transaction<ClerkTables>,
  schema: string,
  table: EventPart,
  width: Width,
): Promise<string[]> {
  await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`.execute(trx)
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${schema} partitions`}, 0))`.execute(trx)
  const leaves = await missing(trx, schema, table, width)
  for (const leaf of leaves) await attach(trx, schema, leaf)
  return leaves.map(({ name }) => name)
}

async function missing(
  executor: Kysely<ClerkTables>,
  schema: string,
  table: EventPart,
  width: Width,
): Promise<Leaf[]> {
  const leaves = await leavesOf(executor, schema, table)
  const [times] = await query<{ now: Date; filled: Date | null }>(
    executor,
    `select now() as now, max(filed_at) as filled from ${qualify(schema, `${table}_default`)}
     where filed_at < 'infinity'`,
  )
  const { now, filled } = times as { now: Date; filled: Date | null }
  const end = leaves.at(-1)?.until ?? null
  const from = [startOfDay(now), end, filled && nextBoundary(filled, 'day')].reduce(latest) as Date
  return leavesBetween(table, from, new Date(now.getTime() + AHEAD_MS[width]), width)
}

function latest(a: Date | null, b: Date | null): Date | null {
  return a !== null && (b === null || a > b) ? a : b
}

function leavesBetween(table: EventPart, start: Date, end: Date, width: Width): Leaf[] {
  const leaves: Leaf[] = []
  for (let from = start; from < end; ) {
    const until = nextBoundary(from, width)
    leaves.push({ table, name: `${table}_${stamp(from)}_${stamp(until)}`, from, until })
    from = until
  }
  return leaves
}

/** Rows of a few kilobytes stay in their page, as in the mirror. */
async function attach(trx: Transaction<ClerkTables>, schema: string, leaf: Leaf): Promise<void> {
  const [parent, child] = [qualify(schema, leaf.table), qualify(schema, leaf.name)]
  const bounds = `from ('${leaf.from.toISOString()}') to ('${leaf.until.toISOString()}')`
  await sql
    .raw(`create table ${child} (like ${parent} including all) with (toast_tuple_target = 8160)`)
    .execute(trx)
  await sql.raw(`alter table ${parent} attach partition ${child} for values ${bounds}`).execute(trx)
}

/** Undefined for the default partition, and for one that somebody else made. */
function toLeaf(table: EventPart, name: string): Leaf | undefined {
  const [, from, until] = /_(\d{8})_(\d{8})$/.exec(name) ?? []
  return from && until ? { table, name, from: toDay(from), until: toDay(until) } : undefined
}

function toDay(digits: string): Date {
  return new Date(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}T00:00:00Z`)
}

function stamp(day: Date): string {
  return day.toISOString().slice(0, 10).replaceAll('-', '')
}

function startOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / DAY_MS) * DAY_MS)
}

/** The first midnight, Monday or first of a month after a time. */
function nextBoundary(time: Date, width: Width): Date {
  if (width === 'month') return new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1, 1))
  const day = startOfDay(time)
  const days = width === 'day' ? 1 : 7 - ((day.getUTCDay() + 6) % 7)
  return new Date(day.getTime() + days * DAY_MS)
}
