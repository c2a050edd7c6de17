/**
 * Counts refused requests by the minute, for those who look for what does not arrive. Written every few seconds, because
 * a flood of forged requests must not become a flood of writes.
 */

import type { Database } from '../database/database.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkSyncError } from '../errors.ts'
import { describeRequest, type Incoming, type RefusedRequest } from './refused-request.ts'

const FLUSH_MS = 2_000
/** A database that is down for long loses the oldest counts; the log has them. */
const MAX_KEPT = 1_000
const MINUTE_MS = 60_000
const MAX_MESSAGE_LENGTH = 500
/** A flood of forged requests must not become a flood of descriptions either. */
const DESCRIBE_EVERY_MS = 1_000

interface Count {
  readonly minute: string
  readonly code: string
  requests: number
  last_at: string
  message: string
  request: RefusedRequest | null
}

export class Refusals {
  readonly #database: Database
  readonly #now: () => number
  readonly #isReady: () => boolean
  #counts = new Map<string, Count>()
  #timer: NodeJS.Timeout | undefined
  /** When a request was described last, by the error's code. */
  readonly #describedAt = new Map<string, number>()

  /** @param isReady whether the database was used before: a forged request must not create one */
  constructor(database: Database, now: () => number, isReady: () => boolean) {
    this.#database = database
    this.#now = now
    this.#isReady = isReady
  }

  add(error: ClerkSyncError, request?: Incoming): void {
    const { code, message } = error
    const now = this.#now()
    const minute = new Date(Math.floor(now / MINUTE_MS) * MINUTE_MS).toISOString()
    const key = `${minute} ${code}`
    const count = this.#counts.get(key) ?? {
      minute,
      code,
      requests: 0,
      last_at: '',
      message: '',
      request: null,
    }
    count.requests++
    count.last_at = new Date(now).toISOString()
    count.message = message.slice(0, MAX_MESSAGE_LENGTH)
    if (request && this.#mayDescribe(code, now)) count.request = describeRequest(error, request)
    this.#counts.set(key, count)
    if (this.#counts.size > MAX_KEPT) this.#counts.delete(this.#counts.keys().next().value as string)
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref()
  }

  #mayDescribe(code: string, now: number): boolean {
    if (now - (this.#describedAt.get(code) ?? Number.NEGATIVE_INFINITY) < DESCRIBE_EVERY_MS) return false
    this.#describedAt.set(code, now)
    return true
  }

  /** Writes what was counted. If the database cannot take it, the next one tries again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const counts = this.#counts
    if (counts.size === 0 || !this.#isReady()) return
    this.#counts = new Map()
    try {
      await query(this.#database.queries, statement(this.#database.schema), [
        JSON.stringify([...counts.values()]),
      ])
    } catch {
      for (const [key, count] of counts) this.#keep(key, count)
    }
  }

  #keep(key: string, count: Count): void {
    const newer = this.#counts.get(key)
    if (newer) newer.requests += count.requests
    else if (this.#counts.size < MAX_KEPT) this.#counts.set(key, count)
  }
}

function statement(schema: string): string {
  return `
    insert into ${qualify(schema, 'refusals')} as refused (minute, code, requests, last_at, message, request)
    select minute, code, requests, last_at, message, request from json_to_recordset($1::json)
      as row(minute timestamptz, code text, requests integer, last_at timestamptz, message text, request json)
    order by minute, code
    on conflict (minute, code) do update set requests = refused.requests + excluded.requests,
      last_at = greatest(refused.last_at, excluded.last_at),
      message = case when excluded.last_at > refused.last_at then excluded.message else refused.message end,
      request = case when excluded.last_at > refused.last_at then coalesce(excluded.request, refused.request)
        else coalesce(refused.request, excluded.request) end`
}
