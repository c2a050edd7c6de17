/**
 * The engine by default: Postgres itself, in a server or embedded. After the commit that records runs, one NOTIFY tells the
 * workers of other processes which handlers have something to do; those of this process know already.
 *
 * The NOTIFY is a statement of its own: inside the ledger's transactions it would make Postgres commit them one after the
 * other. Where notifications do not arrive, as behind a pooler that gives each transaction another connection, workers look
 * into the table more often.
 */

import { hash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../database/failure.ts'
import { type Listen, Pooled } from '../../database/listen.ts'
import { query } from '../../database/query.ts'
import {
  type Engine,
  type EngineContext,
  type EngineFactory,
  LOOK_EVERY_MS,
  type Runner,
  type Wake,
} from '../engine.ts'

export function postgres(): EngineFactory {
  return { name: 'postgres', create: (context) => new PostgresEngine(context) }
}

/** Where no notifications arrive a run starts within a second. */
const POLL_MS = 700
/** Under load one NOTIFY speaks for many commits. */
const NOTIFY_EVERY_MS = 20
/** How often a notification to ourselves checks that they still arrive: a connection may be silently dead. */
const PROBE_EVERY_MS = 10_000
/** How long a notification may take. */
const ARRIVAL_MS = 2_000
const RECONNECT_MS = 2_000
/** Postgres takes up to 8,000 bytes. */
const MAX_PAYLOAD = 7_000
/** A notification about more runs than this asks workers to poll the whole table. */
const RECENT_MS = 10_000

interface Payload {
  /** Of the process that sent it: its own workers know already. */
  readonly from: string
  readonly probe?: string
  readonly recent?: readonly string[]
  readonly all?: readonly string[]
}

class PostgresEngine implements Engine {
  readonly #context: EngineContext
  readonly #channel: string
  readonly #me = randomBytes(6).toString('hex')
  /** Whether notifications arrive. */
  #isHeard = false
  #hasToldOfPolling = false
  #resting = new AbortController()
  #listening: Promise<void> | undefined
  #expected: { readonly probe: string; readonly arrived: () => void } | undefined

  constructor(context: EngineContext) {
    this.#context = context
    this.#channel = channelOf(context.database.schema)
  }

  get lookEveryMs(): number {
    return this.#isHeard ? LOOK_EVERY_MS : POLL_MS
  }

  async wake(wakes: readonly Wake[]): Promise<void> {
    const now = Date.now()
    // Workers find what is due later when it is due.
    const due = wakes.filter(({ at }) => at === null || at.getTime() <= now)
    if (due.length === 0) return
    const isOld = ({ at }: Wake) => at !== null && at.getTime() < now - RECENT_MS
    const all = namesOf(due.filter(isOld))
    await this.#notify({ from: this.#me, recent: namesOf(due), ...(all.length > 0 && { all }) })
    await sleep(NOTIFY_EVERY_MS, undefined, { ref: false })
  }

  async work(runner: Runner): Promise<void> {
    await this.rest()
    this.#resting = new AbortController()
    const { listen } = this.#context.database
    if (listen) this.#listening = this.#keepListening(listen, runner, this.#resting.signal)
    else this.#reportPolling('no connection of maxConnections can be spared to hear notifications')
  }

  async rest(): Promise<void> {
    this.#resting.abort()
    await this.#listening
    this.#listening = undefined
    this.#isHeard = false
  }

  close(): Promise<void> {
    return this.rest()
  }

  async #notify(payload: Payload): Promise<void> {
    const text = JSON.stringify(payload)
    const fitting = text.length > MAX_PAYLOAD ? JSON.stringify({ from: this.#me }) : text
    await query(this.#context.database.bookkeeping, 'select pg_notify($1, $2)', [this.#channel, fitting])
  }

  async #keepListening(listen: Listen, runner: Runner, resting: AbortSignal): Promise<void> {
    while (!resting.aborted) {
      await this.#listen(listen, runner, resting).catch((error) => {
        if (!resting.aborted)
          this.#context.log.warn(
            { cause: messageOf(error) },
            'cannot listen for notifications; polling instead',
          )
      })
      this.#isHeard = false
      await sleep(RECONNECT_MS, undefined, { signal: resting, ref: false }).catch(() => undefined)
    }
  }

  /** Returns once notifications do not arrive any more. */
  async #listen(listen: Listen, runner: Runner, resting: AbortSignal): Promise<void> {
    const broken = new AbortController()
    const stop = await listen(
      this.#channel,
      (text) => this.#hear(text, runner),
      () => broken.abort(),
    ).catch((error) => {
      if (error instanceof Pooled) return undefined
      throw error
    })
    if (stop === undefined) return this.#poll(resting)
    const over = AbortSignal.any([resting, broken.signal])
    try {
      while (!over.aborted && (await this.#isArriving(over))) {
        if (!this.#isHeard) runner.look(namesOf(this.#handlers), 'all')
        this.#isHeard = true
        await sleep(PROBE_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => undefined)
      }
      if (!over.aborted) await this.#poll(over)
    } finally {
      await stop()
    }
  }

  /** Behind a pooler no notification arrives, however often one listens. */
  async #poll(over: AbortSignal): Promise<void> {
    this.#reportPolling('no notifications arrive, as behind a pooler')
    this.#isHeard = false
    await sleep(PROBE_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => undefined)
  }

  #reportPolling(reason: string): void {
    if (!this.#hasToldOfPolling)
      this.#context.log.warn({ everyMs: POLL_MS }, `${reason}; workers poll instead`)
    this.#hasToldOfPolling = true
  }

  async #isArriving(over: AbortSignal): Promise<boolean> {
    const probe = randomBytes(6).toString('hex')
    const arrival = new Promise<boolean>((resolve) => {
      this.#expected = { probe, arrived: () => resolve(true) }
    })
    const sent = this.#notify({ from: this.#me, probe }).catch(() => undefined)
    const waiting = new AbortController()
    const signal = AbortSignal.any([over, waiting.signal])
    const late = sleep(ARRIVAL_MS, false, { signal, ref: false }).catch(() => false)
    const isArriving = await Promise.race([arrival, late])
    waiting.abort()
    void sent
    return isArriving
  }

  #hear(text: string, runner: Runner): void {
    const { from, probe, recent = [], all = [] } = parse(text)
    if (probe !== undefined && probe === this.#expected?.probe) this.#expected.arrived()
    if (from === this.#me || probe !== undefined) return
    // Too many names for one notification: it speaks of every handler.
    const isOfAll = recent.length === 0
    runner.look(recent, 'recent')
    runner.look(isOfAll ? namesOf(this.#handlers) : all, 'all')
  }

  get #handlers() {
    return this.#context.handlers.map(({ name }) => ({ handler: name }))
  }
}

function namesOf(wakes: readonly { readonly handler: string }[]): string[] {
  return [...new Set(wakes.map(({ handler }) => handler))]
}

/** Names of channels have up to 63 bytes. */
function channelOf(schema: string): string {
  return `clerk_sync_${hash('sha256', schema).slice(0, 24)}`
}

/** Anybody may notify. */
function parse(text: string): Partial<Payload> {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}
