/**
 * One budget of requests per Clerk instance, shared by all processes through the database.
 *
 * Clerk counts requests per instance and ten seconds: 1,000 in production, 100 in development. At most 70 % of that is
 * used here, because the application needs its share. The algorithm is GCRA: one row says when the next request may be
 * sent; taking a place moves it on by one interval, and places that nobody took add up to a small burst.
 */

import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { RequestBudget } from '../clerk/api/client.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

const WINDOW_MS = 10_000
/** Of the limit: a steady rate, and a burst after a pause. Together the most that ten seconds can see. */
const STEADY_SHARE = 0.65
const BURST_SHARE = 0.05

export class RateBudget implements RequestBudget {
  readonly #database: Kysely<ClerkTables>
  readonly #key: string
  readonly #take: string
  readonly #pause: string
  readonly #intervalMs: number
  readonly #burstMs: number

  /** @param limit Clerk's, in requests per ten seconds */
  constructor(database: Kysely<ClerkTables>, schema: string, secretKey: string, limit: number) {
    const table = qualify(schema, 'api_budgets')
    this.#database = database
    this.#key = hash('sha256', secretKey).slice(0, 16)
    this.#intervalMs = WINDOW_MS / (limit * STEADY_SHARE)
    this.#burstMs = limit * BURST_SHARE * this.#intervalMs
    this.#take = takeStatement(table)
    this.#pause = pauseStatement(table)
  }

  async take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const [row] = await this.#query<{ wait: number }>(this.#take, [
      this.#key,
      this.#intervalMs,
      this.#burstMs,
    ])
    if (row && row.wait > 0) await sleep(row.wait, undefined, { signal })
  }

  async pause(milliseconds: number): Promise<void> {
    await this.#query(this.#pause, [this.#key, milliseconds])
  }

  #query<Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> {
    return available(query<Row>(this.#database, text, parameters))
  }
}

/** For instances without a limit: simulated ones. */
export const UNLIMITED: RequestBudget = {
  take: async (signal) => signal?.throwIfAborted(),
  pause: async () => undefined,
}

/** $1 key, $2 interval, $3 burst, in milliseconds → how long to wait. The database's clock counts, for all processes. */
function takeStatement(table: string): string {
  const milliseconds = (parameter: string) => `${parameter}::float8 * interval '1 millisecond'`
  return `
    insert into ${table} as budget (key, next_at)
    values ($1, clock_timestamp() - ${milliseconds('$3')} + ${milliseconds('$2')})
    on conflict (key) do update
    set next_at = greatest(budget.next_at, clock_timestamp() - ${milliseconds('$3')}) + ${milliseconds('$2')}
    returning extract(epoch from next_at - ${milliseconds('$2')} - clock_timestamp())::float8 * 1000 as wait`
}

/** $1 key, $2 milliseconds */
function pauseStatement(table: string): string {
  const end = `clock_timestamp() + $2::float8 * interval '1 millisecond'`
  return `
    insert into ${table} as budget (key, next_at) values ($1, ${end})
    on conflict (key) do update set next_at = greatest(budget.next_at, ${end})`
}
