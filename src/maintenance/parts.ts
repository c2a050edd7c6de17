/**
 * Deletes bodies and changes of events: truncates partitions past their retention, which frees the disk and waits only
 * for readers of such old events. Deliveries write into other partitions.
 *
 * An event with a run that is not finished keeps what its handler needs: that is moved to the default partition first,
 * in small batches, and goes once the run has ended.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import { EVENT_PARTS, type EventPart } from '../database/event-parts.ts'
import { failureKind } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { type Leaf, leavesOf } from '../database/partitions.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Pace } from './pace.ts'

/** Of an event part: what went, and what stayed for a run. */
export interface ForgottenParts {
  rows: number
  bytes: number
  held: number
}

/** A dump that reads the partition holds it for longer: the next maintenance tries again. */
const LOCK_TIMEOUT = '500ms'
/** Removing an empty partition needs a moment without any delivery. It does no harm if none comes. */
const DROP_TRIES = 10
const DROP_PAUSE_MS = 20
/** Larger partitions are counted by Postgres' own statistics: reading them would disturb the deliveries. */
const COUNTED_BYTES = 64 * 1024 ** 2

export class PartForgetting {
  readonly #database: Kysely<ClerkTables>
  readonly #schema: string
  readonly #part: EventPart
  readonly #before: Date
  readonly #tables: { readonly events: string; readonly runs: string; readonly parent: string; rest: string }

  constructor(database: Kysely<ClerkTables>, schema: string, part: EventPart, before: Date) {
    this.#database = database
    this.#schema = schema
    this.#part = part
    this.#before = before
    this.#tables = {
      events: qualify(schema, 'events'),
      runs: qualify(schema, 'handler_runs'),
      parent: qualify(schema, part),
      rest: qualify(schema, `${part}_default`),
    }
  }

  /** What would go. */
  async measure(): Promise<ForgottenParts> {
    const sum = { rows: 0, bytes: 0, held: 0 }
    for (const leaf of await this.#leaves()) add(sum, await this.#measureLeaf(leaf))
    const { rows, left, size } = await this.#measureRest()
    const isEmptied = rows > 0 && left === 0 && sum.held === 0
    return add(sum, { rows, bytes: isEmptied ? size : 0, held: 0 })
  }

  async run(pace: Pace): Promise<ForgottenParts> {
    const sum = { rows: 0, bytes: 0, held: 0 }
    for (const leaf of await this.#leaves()) {
      if (!(await pace.mayGoOn())) return sum
      const measured = await this.#measureLeaf(leaf)
      if (!(await pace.repeat((most) => this.#moveOpen(leaf, most)))) return sum
      if (!(await this.#truncate(leaf, measured.rows + measured.held > 0))) pace.leaveRest()
      else {
        add(sum, measured)
        await this.#drop(leaf)
      }
    }
    return add(sum, await this.#runRest(pace))
  }

  /** Those whose time is over as a whole. */
  async #leaves(): Promise<Leaf[]> {
    const leaves = await leavesOf(this.#database, this.#schema, this.#part)
    return leaves.filter(({ until }) => until <= this.#before)
  }

  async #measureLeaf(leaf: Leaf): Promise<ForgottenParts> {
    const name = qualify(this.#schema, leaf.name)
    const [size] = await query<{ bytes: number; guess: number }>(
      this.#database,
      `select pg_total_relation_size(oid) as bytes, reltuples::float8 as guess from pg_class where oid = $1::regclass`,
      [name],
    )
    const { bytes = 0, guess = 0 } = size ?? {}
    if (bytes === 0) return { rows: 0, bytes, held: 0 }
    const held = await this.#count(`select count(*)::integer as count from (${this.#open()}) as open`, [
      leaf.from.toISOString(),
      leaf.until.toISOString(),
    ])
    const isCounted = bytes <= COUNTED_BYTES || guess < 0
    const all = isCounted
      ? await this.#count(`select count(*)::integer as count from ${name}`)
      : Math.round(guess)
    return { rows: all - held, bytes, held }
  }

  /** $1 and $2 the times of the partition → events in it that a run still needs */
  #open(): string {
    const { events, runs, parent } = this.#tables
    return `
      select distinct event.id, event.received_at
      from ${runs} as run
      join ${events} as event on event.id = run.event_id
      join ${parent} as part on part.event_id = event.id and part.filed_at = event.received_at
      where ${IS_OPEN} and event.received_at >= $1::timestamptz and event.received_at < $2::timestamptz
        and part.filed_at >= $1::timestamptz and part.filed_at < $2::timestamptz`
  }

  #moveOpen(leaf: Leaf, most: number): Promise<number> {
    const { parent } = this.#tables
    const column = EVENT_PARTS[this.#part]
    return this.#count(
      `with open as (${this.#open()} limit $3), moved as (
         delete from ${parent} as part using open
         where part.event_id = open.id and part.filed_at = open.received_at
           and part.filed_at >= $1::timestamptz and part.filed_at < $2::timestamptz
         returning part.event_id, part.${column}
       ), kept as (
         insert into ${parent} (event_id, filed_at, ${column}) select event_id, 'infinity', ${column} from moved
         on conflict do nothing
       ) select count(*)::integer as count from moved`,
      [leaf.from.toISOString(), leaf.until.toISOString(), most],
    )
  }

  /** @returns false if somebody holds the partition, or a run was opened meanwhile: then the next maintenance does it */
  async #truncate(leaf: Leaf, hadRows: boolean): Promise<boolean> {
    const name = qualify(this.#schema, leaf.name)
    try {
      return await this.#database.transaction().execute(async (trx) => {
        await lockAlone(trx, name)
        const [open] = await query(trx, `${this.#open()} limit 1`, [
          leaf.from.toISOString(),
          leaf.until.toISOString(),
        ])
        if (open) return false
        await sql.raw(`truncate ${name}`).execute(trx)
        if (hadRows) await this.#log(trx, leaf.until)
        return true
      })
    } catch (error) {
      if (isLocked(error)) return false
      throw error
    }
  }

  async #drop(leaf: Leaf): Promise<void> {
    const { parent } = this.#tables
    for (let tries = 0; tries < DROP_TRIES; tries++) {
      try {
        return await this.#database.transaction().execute(async (trx) => {
          await sql.raw(`lock table ${parent} in access exclusive mode nowait`).execute(trx)
          await sql.raw(`drop table ${qualify(this.#schema, leaf.name)}`).execute(trx)
        })
      } catch (error) {
        if (!isLocked(error)) throw error
        await sleep(DROP_PAUSE_MS)
      }
    }
  }

  /** $1 before → what of the default partition goes: what is old, and what was held for runs that have ended */
  #old(): string {
    const { events, runs } = this.#tables
    return `
      (part.filed_at < $1::timestamptz or (part.filed_at = 'infinity' and not exists (
        select from ${events} as event where event.id = part.event_id and event.received_at >= $1::timestamptz
      ))) and not exists (select from ${runs} as run where run.event_id = part.event_id and ${IS_OPEN})`
  }

  async #measureRest() {
    const { rest } = this.#tables
    const [measured] = await query<{ rows: number; left: number; size: number }>(
      this.#database,
      `select count(*) filter (where ${this.#old()})::integer as rows,
         count(*) filter (where not (${this.#old()}))::integer as left,
         pg_total_relation_size($2::regclass) as size
       from ${rest} as part`,
      [this.#before.toISOString(), rest],
    )
    return measured as { rows: number; left: number; size: number }
  }

  async #runRest(pace: Pace): Promise<ForgottenParts> {
    const { rest } = this.#tables
    let rows = 0
    await pace.repeat(async (most) => {
      const gone = await this.#count(
        `with gone as (
           delete from ${rest} where ctid = any(array(
             select part.ctid from ${rest} as part where ${this.#old()} limit $2 for update of part skip locked
           )) returning 1
         ) select count(*)::integer as count from gone`,
        [this.#before.toISOString(), most],
      )
      rows += gone
      return gone
    })
    if (rows === 0) return { rows, bytes: 0, held: 0 }
    return { rows, bytes: await this.#truncateEmptyRest(), held: 0 }
  }

  async #truncateEmptyRest(): Promise<number> {
    const { rest } = this.#tables
    try {
      return await this.#database.transaction().execute(async (trx) => {
        await this.#log(trx, this.#before)
        await lockAlone(trx, rest)
        const [row] = await query(trx, `select from ${rest} limit 1`)
        if (row) return 0
        const [size] = await query<{ bytes: number }>(
          trx,
          'select pg_total_relation_size($1::regclass) as bytes',
          [rest],
        )
        await sql.raw(`truncate ${rest}`).execute(trx)
        return size?.bytes ?? 0
      })
    } catch (error) {
      if (!isLocked(error)) throw error
      await this.#log(this.#database, this.#before)
      return 0
    }
  }

  async #log(executor: Kysely<ClerkTables>, before: Date): Promise<void> {
    await query(
      executor,
      `insert into ${qualify(this.#schema, 'retention_log')} (part, received_before) values ($1, $2)
       on conflict do nothing`,
      [this.#part, before.toISOString()],
    )
  }

  async #count(text: string, parameters: readonly unknown[] = []): Promise<number> {
    const [row] = await query<{ count: number }>(this.#database, text, parameters)
    return row?.count ?? 0
  }
}

/** Due, paused, running, failing or dead. */
const IS_OPEN = '(run.due_at is not null or run.fingerprint is not null)'

async function lockAlone(trx: Transaction<ClerkTables>, table: string): Promise<void> {
  await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`.execute(trx)
  await sql.raw(`lock table ${table} in access exclusive mode`).execute(trx)
}

function isLocked(error: unknown): boolean {
  return (error as { code?: unknown }).code === '55P03' || failureKind(error) === 'conflict'
}

function add(sum: ForgottenParts, { rows, bytes, held }: ForgottenParts): ForgottenParts {
  sum.rows += rows
  sum.bytes += bytes
  sum.held += held
  return sum
}
