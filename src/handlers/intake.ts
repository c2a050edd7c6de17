/**
 * The intake of one handler: claims runs for which there is a slot, and a few more where handlers are faster than claims, so
 * that the next batch is claimed while the last one runs. Only one claim at a time is under way.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Claims } from './claims.ts'
import type { Scope } from './engine.ts'
import type { HandlerDefinition } from './handler.ts'
import type { ClaimedRun } from './run.ts'
import { type Slot, Slots } from './slots.ts'

export interface IntakeParts {
  readonly claims: Claims
  /** Ends when the worker stops. */
  readonly stopping: AbortSignal
  /** Calls the handler in a slot that it frees. */
  readonly start: (run: ClaimedRun, slot: Slot) => void
  /** Gives back what was claimed and cannot be started. */
  readonly giveBack: (runs: readonly ClaimedRun[]) => Promise<void>
  readonly onTrouble: (error: unknown) => void
}

/** How many runs may be claimed for slots that are expected to be free soon. */
const MAX_AHEAD = 100
/** Later runs are found by looking. */
const MAX_WANTED = 1_000
/** A database that cannot be asked is asked again after this. */
const RETRY_MS = 1_000
const BEGINNING = '-infinity'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Intake {
  readonly #definition: HandlerDefinition
  readonly #parts: IntakeParts
  readonly #slots: Slots
  /** Claimed, and waiting for a slot. */
  #ready: ClaimedRun[] = []
  /** By event, where it is known which run is due. */
  #wanted = new Set<string>()
  /** The time of the next poll, null for runs that just came due; undefined if no run is known to be due. */
  #lookFrom: string | null | undefined
  /** Whether the last claim was a look. */
  #hasLooked = false
  #waiting: Waiting[] = []
  #claiming: Promise<void> | undefined
  readonly #claimMs = new Average()
  readonly #runMs = new Average()

  constructor(definition: HandlerDefinition, parts: IntakeParts) {
    this.#definition = definition
    this.#parts = parts
    this.#slots = new Slots(definition.concurrency)
  }

  /** Something is due. */
  look(scope: Scope): void {
    if (scope === 'all') this.#lookFrom = BEGINNING
    else if (this.#lookFrom === undefined) this.#lookFrom = null
    this.advance()
  }

  /** These runs are due. */
  want(eventIds: readonly string[]): void {
    for (const eventId of eventIds) {
      if (this.#wanted.size < MAX_WANTED) this.#wanted.add(eventId)
      else this.#lookFrom = BEGINNING
    }
    this.advance()
  }

  /** Whether a run is still to be claimed or started. */
  isPending(eventId: string): boolean {
    return this.#wanted.has(eventId) || this.#ready.some((run) => run.eventId === eventId)
  }

  /** Resolves after a claim that begins from now on. */
  claimed(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ resolve, reject })
    return promise
  }

  /** Starts claimed runs, and claims more for free slots. */
  advance(): void {
    while (this.#ready.length > 0 && this.#slots.free > 0) this.#startNext(this.#ready.shift() as ClaimedRun)
    if (this.#claiming || this.#room === 0 || !this.#hasWork) return
    this.#claiming = this.#claimNext().finally(() => {
      this.#claiming = undefined
      this.advance()
    })
  }

  get isIdle(): boolean {
    const isWaiting = this.#hasWork && this.#room > 0
    return !this.#claiming && !isWaiting && this.#ready.length === 0 && this.#slots.free === this.#slots.count
  }

  /** Claims no more, and gives back what was not started. */
  async stop(): Promise<void> {
    this.#wanted.clear()
    this.#lookFrom = undefined
    const { reason } = this.#parts.stopping
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
    await this.#claiming
    await this.#parts.giveBack(this.#ready.splice(0))
  }

  get #hasWork(): boolean {
    const isStopping = this.#parts.stopping.aborted
    return !isStopping && (this.#wanted.size > 0 || this.#lookFrom !== undefined)
  }

  /**
   * A claim of one run costs almost as much as one of many, so that the next claim waits until half of the claimed runs
   * have started.
   */
  get #room(): number {
    const room = this.#slots.free + this.#ahead - this.#ready.length
    return this.#ready.length <= this.#ahead / 2 ? Math.max(0, room) : 0
  }

  /** As many as end while a claim is made. */
  get #ahead(): number {
    const runMs = Math.max(0.05, this.#runMs.value ?? Number.POSITIVE_INFINITY)
    return Math.min(MAX_AHEAD, Math.floor((this.#slots.count * (this.#claimMs.value ?? 0)) / runMs))
  }

  #startNext(run: ClaimedRun): void {
    const startedAt = performance.now()
    const slot = this.#slots.occupy(() => {
      this.#runMs.add(performance.now() - startedAt)
      this.advance()
    })
    this.#parts.start(run, slot)
  }

  async #claimNext(): Promise<void> {
    const startedAt = performance.now()
    const waiting = this.#waiting.splice(0)
    try {
      const runs = await this.#claim()
      this.#claimMs.add(performance.now() - startedAt)
      if (this.#parts.stopping.aborted) throw await this.#tooLate(runs)
      this.#ready.push(...runs)
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
      if (this.#parts.stopping.aborted) return
      this.#parts.onTrouble(error)
      this.#lookFrom = BEGINNING
      await sleep(RETRY_MS, undefined, { signal: this.#parts.stopping, ref: false }).catch(() => undefined)
    }
  }

  async #tooLate(runs: readonly ClaimedRun[]): Promise<unknown> {
    await this.#parts.giveBack(runs)
    return this.#parts.stopping.reason
  }

  /** In turns: wakes of single runs may never end, and the look is what finds a run whose wake was lost. */
  #claim(): Promise<ClaimedRun[]> {
    const looks = this.#lookFrom !== undefined && (this.#wanted.size === 0 || !this.#hasLooked)
    this.#hasLooked = looks
    return looks ? this.#claimDue(this.#room) : this.#claimWanted(this.#room)
  }

  async #claimWanted(most: number): Promise<ClaimedRun[]> {
    const eventIds = [...this.#wanted].slice(0, most)
    for (const eventId of eventIds) this.#wanted.delete(eventId)
    return this.#parts.claims.byEvent(this.#definition, eventIds)
  }

  async #claimDue(most: number): Promise<ClaimedRun[]> {
    const from = this.#lookFrom ?? null
    this.#lookFrom = undefined
    const runs = await this.#parts.claims.due(this.#definition, from, most)
    // Going on behind the last one: the index still holds entries of those before it, and more of them than rows. What was
    // committed late with an earlier time is found by the next look at everything.
    const last = runs.reduce((latest, { dueAt }) => (dueAt > latest ? dueAt : latest), '')
    if (runs.length === most && this.#lookFrom !== BEGINNING) this.#lookFrom = last
    return runs
  }
}

/** Of the latest values, newer ones weighing more. */
class Average {
  value: number | undefined

  add(value: number): void {
    this.value = this.value === undefined ? value : this.value + (value - this.value) / 8
  }
}
