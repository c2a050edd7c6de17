/**
 * Wakes: hints that runs are due, after the commit that made them so. Workers of this process get them in memory at once;
 * the engine gets those of a few milliseconds together, for other processes. Nothing waits for either.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../database/failure.ts'
import type { Logger } from '../log.ts'
import type { Engine, Wake } from './engine.ts'
import { type DueRow, type RunKey, toKey } from './run.ts'

const GATHER_MS = 2
/** An engine that takes longer is not waited for; what it did not get is found in the table. */
const PATIENCE_MS = 5_000
/** What is more than this while an engine is slow is found in the table, too. */
const MAX_GATHERED = 10_000
/** What is due later than this is found by a look into the table in time. */
const MAX_TIMER_MS = 60_000

export class Wakes {
  readonly #engine: Engine
  readonly #log: Logger
  readonly #timers = new Set<NodeJS.Timeout>()
  #gathered: Wake[] = []
  #sending: Promise<void> | undefined
  readonly #wakeLocal: (wakes: readonly Wake[]) => void

  /** @param wakeLocal wakes the workers of this process */
  constructor(engine: Engine, log: Logger, wakeLocal: (wakes: readonly Wake[]) => void) {
    this.#engine = engine
    this.#log = log
    this.#wakeLocal = wakeLocal
  }

  /** Never throws, and returns at once. */
  send(wakes: readonly Wake[]): void {
    if (wakes.length === 0) return
    this.#remindLocal(wakes)
    const room = MAX_GATHERED - this.#gathered.length
    this.#gathered.push(...wakes.slice(0, room))
    this.#sending ??= this.#deliver()
  }

  /** Resolves when the engine has had what it is to get, or is given up. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#sending
  }

  #remindLocal(wakes: readonly Wake[]): void {
    const now = Date.now()
    const [due, later] = [[] as Wake[], [] as Wake[]]
    for (const wake of wakes) (wake.at === null || wake.at.getTime() <= now ? due : later).push(wake)
    if (due.length > 0) this.#wakeLocal(due)
    for (const wake of later) this.#remindLater(wake, (wake.at as Date).getTime() - now)
  }

  #remindLater(wake: Wake, delayMs: number): void {
    if (delayMs > MAX_TIMER_MS) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#wakeLocal([wake])
    }, delayMs).unref()
    this.#timers.add(timer)
  }

  async #deliver(): Promise<void> {
    while (this.#gathered.length > 0) {
      await sleep(GATHER_MS)
      const wakes = this.#gathered
      this.#gathered = []
      await this.#deliverPatiently(wakes)
    }
    this.#sending = undefined
  }

  async #deliverPatiently(wakes: readonly Wake[]): Promise<void> {
    const waiting = new AbortController()
    const late = sleep(PATIENCE_MS, undefined, { signal: waiting.signal, ref: false }).then(() => {
      throw new Error(`no answer within ${PATIENCE_MS / 1_000} s`)
    })
    try {
      await Promise.race([this.#engine.wake(wakes), late])
    } catch (error) {
      this.#log.warn({ cause: messageOf(error) }, 'engine unavailable; workers find runs by polling')
    } finally {
      waiting.abort()
      late.catch(() => undefined)
    }
  }
}

/** The wake of a run that was recorded just now. */
export function firstWake(key: RunKey): Wake {
  return { eventId: key.eventId, handler: key.handler, id: `${key.eventId}:${key.handler}`, at: null }
}

/**
 * A later wake of a run has a name of its own: an engine that drops what it has had before may have had one for the same
 * time, which met a paused handler, or an earlier run of the same resource.
 */
export function toWake(row: DueRow): Wake {
  return { ...toKey(row), id: `${row.event_id}:${row.handler}:${randomUUID()}`, at: row.due_at }
}
