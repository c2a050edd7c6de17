/** How people's questions are put to the database: read only, and never for long, whatever they ask. */

import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { type EventPart, type EventPosition, forgottenAt, readParts } from '../database/event-parts.ts'
import { failureKind, toUnavailable } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Time } from './model.ts'

/** Where to read. A sync is one: `{ database: sync.database, schema: sync.location.schema }`. */
export interface ReadSource {
  readonly database: Kysely<ClerkTables>
  readonly schema: string
}

/** A query that takes longer is cancelled; a narrower filter makes it faster. */
const STATEMENT_TIMEOUT_MS = 5_000

/** One look at the database: every query of it sees the same moment. */
export class Reading {
  readonly #trx: Transaction<ClerkTables>
  readonly schema: string

  constructor(trx: Transaction<ClerkTables>, schema: string) {
    this.#trx = trx
    this.schema = schema
  }

  /** The name of a table in SQL. */
  table(name: string): string {
    return qualify(this.schema, name)
  }

  /** Bodies or changes of these events, by their ids. */
  parts<Part extends EventPart>(part: Part, events: readonly EventPosition[]) {
    return readParts(this.#trx, this.schema, part, events)
  }

  forgottenAt(part: EventPart, receivedAt: Date): Promise<Date | null> {
    return forgottenAt(this.#trx, this.schema, part, receivedAt)
  }

  /** Runs a statement that was put together with `sql`. */
  async run<Row>(statement: RawBuilder<Row>): Promise<Row[]> {
    return (await statement.execute(this.#trx)).rows
  }

  query<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return query<Row>(this.#trx, text, parameters)
  }
}

/**
 * Reads in one transaction, with a limit for each statement.
 * @param timeoutMs for each statement, in milliseconds; default 5,000
 * @throws {ClerkSyncError} `database_…`; `database_timeout` for what was too large
 */
export async function read<Result>(
  { database, schema }: ReadSource,
  work: (reading: Reading) => Promise<Result>,
  timeoutMs: number = STATEMENT_TIMEOUT_MS,
): Promise<Result> {
  try {
    return await database
      .transaction()
      .setAccessMode('read only')
      .setIsolationLevel('repeatable read')
      .execute(async (trx) => {
        // Compiling such a statement, and starting helpers for it, takes Postgres longer than running it: it guesses far more
        // rows than the limits leave.
        await sql`select set_config('statement_timeout', ${String(timeoutMs)}, true),
          set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`.execute(
          trx,
        )
        return work(new Reading(trx, schema))
      })
  } catch (error) {
    // The database works, and refuses a value of the question.
    if (failureKind(error) === 'rejected') {
      throw new ClerkSyncError('request_invalid', 'the database cannot read a value of it', { cause: error })
    }
    throw toUnavailable(error)
  }
}

/** The values of a statement whose text is put together: each is named where it is added. */
export class Parameters {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

export function toTime(date: Date): Time
export function toTime(date: Date | null): Time | null
export function toTime(date: Date | null): Time | null {
  return date?.toISOString() ?? null
}
