/**
 * Our own client of Clerk's Backend API.
 *
 * Clerk's SDK drops unknown fields, sends two requests per list and never tries again. This one returns the JSON as it
 * was sent, waits its turn in a budget that all processes share, and tries again what may work the next time.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { ClerkSyncError } from '../../errors.ts'
import { MAX_PAGE_SIZE, type Query } from '../api-description.ts'
import { askedAt } from './clock.ts'
import { NotFound, Throttled, Transient, toFailure } from './failure.ts'
import { type Item, type Page, readCount, readItem, readPage, UnusableReply } from './reply.ts'

/** The rate at which requests may be sent. */
export interface RequestBudget {
  /** Resolves when the next request may be sent. */
  take(signal: AbortSignal | undefined): Promise<void>
  /** Clerk refuses requests for so long: nobody sends any. */
  pause(milliseconds: number): Promise<void>
}

export interface ClerkApiOptions {
  readonly secretKey: string
  /** `https://api.clerk.com` */
  readonly apiUrl: string
  /** Clerk's API version, a date. */
  readonly apiVersion: string
  /** The longest that one answer may take, in milliseconds. */
  readonly timeoutMs: number
  /**
   * How many rows a page of a list has.
   * @default 500, the most
   */
  readonly pageSize?: number | undefined
  readonly budget: RequestBudget
  readonly now: () => number
  /**
   * How often a request is made that may work the next time. 1 to learn how it is.
   * @default 6
   */
  readonly maxTries?: number | undefined
}

/** What the requests of one task share. */
export interface ApiCall {
  readonly signal?: AbortSignal | undefined
  /** Counts what the task's requests cost. */
  readonly meter?: ApiMeter | undefined
  /**
   * How often a request of it is made, if somebody waits for the answer.
   * @default the client's limit
   */
  readonly maxTries?: number | undefined
}

export interface ApiMeter {
  requests: number
  /** How often Clerk answered 429. */
  throttled: number
  /** How long was waited for that, in milliseconds. */
  throttledMs: number
}

/** Something that Clerk showed. */
export type Shown<Content> = Content & {
  /** When it was asked for, by Clerk's clock: what it shows is at least as new. */
  readonly observedAt: Date
}

/** A query that may repeat a parameter. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>

/** With the first. The waits between six tries add up to some fifteen seconds. */
const MAX_TRIES = 6
const FIRST_WAIT_MS = 500
/** After this many refusals in a row, another consumer of the key must be using up the rate limit. */
const MAX_THROTTLES = 20

export class ClerkApi {
  readonly pageSize: number
  readonly #options: ClerkApiOptions
  readonly #headers: Readonly<Record<string, string>>

  constructor(options: ClerkApiOptions) {
    this.pageSize = options.pageSize ?? MAX_PAGE_SIZE
    this.#options = options
    this.#headers = {
      authorization: `Bearer ${options.secretKey}`,
      accept: 'application/json',
      'clerk-api-version': options.apiVersion,
      'user-agent': 'clerk-sync',
    }
  }

  /**
   * A page of a list.
   * @param adds what its items do not tell
   * @throws {ClerkSyncError} `api_…`; `api_feature_off` if there is no such list
   */
  async page(path: string, query: Parameters, call: ApiCall, adds?: Query): Promise<Shown<Page>> {
    return this.#read(path, query, call, (body) => readPage(body, adds)).catch((error) => {
      if (!(error instanceof NotFound)) throw error
      throw new ClerkSyncError('api_feature_off', error.message, { cause: error })
    })
  }

  /**
   * A resource, or null if there is none.
   * @param adds what it does not tell
   * @throws {ClerkSyncError} `api_…`
   */
  async item(path: string, call: ApiCall, adds?: Query): Promise<Shown<{ readonly item: Item | null }>> {
    return this.#read(path, {}, call, (body) => ({ item: readItem(body, adds) })).catch((error) => {
      if (error instanceof NotFound) return { item: null, observedAt: error.observedAt }
      throw error
    })
  }

  /**
   * How many there are.
   * @throws {ClerkSyncError} `api_…`
   */
  async count(path: string, query: Query, call: ApiCall): Promise<number> {
    const { count } = await this.#read(path, query, call, (body) => ({ count: readCount(body) }))
    return count
  }

  #read<Content>(
    path: string,
    query: Parameters,
    call: ApiCall,
    read: (body: Uint8Array) => Content,
  ): Promise<Shown<Content>> {
    return this.#tryUntilAnswered(path, query, call, read).catch((error) => {
      // Whatever is aborted while it waits only says that it was, not why.
      call.signal?.throwIfAborted()
      throw error
    })
  }

  async #tryUntilAnswered<Content>(
    path: string,
    query: Parameters,
    call: ApiCall,
    read: (body: Uint8Array) => Content,
  ): Promise<Shown<Content>> {
    const { maxTries = this.#options.maxTries ?? MAX_TRIES } = call
    const maxThrottles = call.maxTries ?? (maxTries === 1 ? 1 : MAX_THROTTLES)
    let tries = 0
    let throttles = 0
    for (;;) {
      await this.#options.budget.take(call.signal)
      try {
        return await this.#send(path, query, call, read)
      } catch (error) {
        if (error instanceof Throttled) {
          if (++throttles === maxThrottles) throw new ClerkSyncError('api_throttled', `GET ${path}`)
          await this.#waitOut(error, call)
        } else if (error instanceof Transient) {
          if (++tries === maxTries) throw new ClerkSyncError('api_unavailable', error.message)
          await sleep(Math.random() * FIRST_WAIT_MS * 2 ** tries, undefined, { signal: call.signal })
        } else throw error
      }
    }
  }

  async #send<Content>(
    path: string,
    query: Parameters,
    { signal, meter }: ApiCall,
    read: (body: Uint8Array) => Content,
  ): Promise<Shown<Content>> {
    if (meter) meter.requests++
    const [startedAt, startedTicks] = [this.#options.now(), performance.now()]
    const { response, body } = await this.#fetch(path, query, signal)
    const observedAt = askedAt(startedAt, performance.now() - startedTicks, response.headers.get('date'))
    if (!response.ok) throw toFailure(`GET ${path}`, response, body, observedAt)
    try {
      requireJson(response)
      return { ...read(body), observedAt }
    } catch (error) {
      if (error instanceof UnusableReply) throw new Transient(`GET ${path} → ${error.message}`)
      throw error
    }
  }

  async #fetch(path: string, query: Parameters, signal: AbortSignal | undefined) {
    const { apiUrl, timeoutMs } = this.#options
    const timeout = AbortSignal.timeout(timeoutMs)
    const init: RequestInit = {
      headers: this.#headers,
      // A redirect would take the key along to another place.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    }
    try {
      const response = await fetch(`${apiUrl}/v1${path}${toSearch(query)}`, init)
      return { response, body: new Uint8Array(await response.arrayBuffer()) }
    } catch (error) {
      signal?.throwIfAborted()
      throw new Transient(
        `GET ${path} → ${timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error)}`,
      )
    }
  }

  async #waitOut({ waitMs }: Throttled, { signal, meter }: ApiCall): Promise<void> {
    const startedAt = performance.now()
    if (meter) meter.throttled++
    await this.#options.budget.pause(waitMs)
    await sleep(waitMs, undefined, { signal })
    if (meter) meter.throttledMs += Math.round(performance.now() - startedAt)
  }
}

/** Clerk sends exactly `application/json`; a proxy's error page is something else, whatever its status. */
function requireJson({ headers }: Response): void {
  const type = headers.get('content-type') ?? 'no content-type'
  if (!/^application\/json\b/i.test(type)) throw new UnusableReply(`it is ${type.slice(0, 80)}`)
}

function toSearch(query: Parameters): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of typeof value === 'string' ? [value] : value) search.append(name, each)
  }
  return search.size === 0 ? '' : `?${search}`
}

/** What `fetch` throws says nothing itself; its cause does. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
