/**
 * The intake of one handler: claims runs for which there is a slot, and a few more where handlers are faster than claims, so
 * that the next batch is claimed while the last one is read and runs. Only one claim at a time is under way.
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

/**
 * How many runs may be claimed for slots that are expected to be free soon. With 100, claims cost a third of the throughput of handlers
 * that do nothing; with 500 it is the same as with 300.
 */
const MAX_AHEAD = 300
/** Later runs are found by looking. */
const MAX_WANTED = 1_000
/** A database that cannot be asked is asked again after this. */
const RETRY_MS = 1_000
const BEGINNING = '-infinity'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Claim {
  readonly startedAt: number
  /** Those that wait until its runs are ready. */
  readonly waiting: readonly Waiting[]
}

export class Intake {
  readonly #definition: HandlerDefinition
  readonly #parts: IntakeParts
  readonly #slots: Slots
  /** The events of the runs that are claimed and not started. */
  readonly #taken = new Set<string>()
  /** Of these, the runs that wait for a slot. What handlers are given is still being read of the others. */
  #ready: ClaimedRun[] = []
  readonly #reads = new Set<Promise<void>>()
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
    return this.#wanted.has(eventId) || this.#taken.has(eventId)
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
    return !this.#claiming && !isWaiting && this.#taken.size === 0 && this.#slots.free === this.#slots.count
  }

  /** Claims no more, and gives back what was not started. */
  async stop(): Promise<void> {
    this.#wanted.clear()
    this.#lookFrom = undefined
    const { reason } = this.#parts.stopping
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
    await this.#claiming
    await Promise.all(this.#reads)
    await this.#parts.giveBack(this.#ready.splice(0))
  }

  get #hasWork(): boolean {
    const isStopping = this.#parts.stopping.aborted
    return !isStopping && (this.#wanted.size > 0 || this.#lookFrom !== undefined)
  }

  /**
   * A claim of one run costs almost as much as one of many, so that the next claim waits until there is room for half of the runs that
   * may be claimed and not started.
   */
  get #room(): number {
    const most = this.#slots.free + this.#ahead
    const room = most - this.#taken.size
    return room >= most / 2 ? room : 0
  }

  /** As many as end while a claim is made. */
  get #ahead(): number {
    const runMs = Math.max(0.05, this.#runMs.value ?? Number.POSITIVE_INFINITY)
    return Math.min(MAX_AHEAD, Math.floor((this.#slots.count * (this.#claimMs.value ?? 0)) / runMs))
  }

  #startNext(run: ClaimedRun): void {
    this.#taken.delete(run.eventId)
    const startedAt = performance.now()
    const slot = this.#slots.occupy(() => {
      this.#runMs.add(performance.now() - startedAt)
      this.advance()
    })
    this.#parts.start(run, slot)
  }

  async #claimNext(): Promise<void> {
    const claim = { startedAt: performance.now(), waiting: this.#waiting.splice(0) }
    try {
      const runs = await this.#claim()
      for (const { eventId } of runs) this.#taken.add(eventId)
      const read = this.#read(runs, claim).finally(() => {
        this.#reads.delete(read)
        this.advance()
      })
      this.#reads.add(read)
    } catch (error) {
      await this.#fail(claim, error)
    }
  }

  /** Nobody waits for it: the next claim is made meanwhile. */
  async #read(runs: readonly ClaimedRun[], claim: Claim): Promise<void> {
    try {
      if (this.#parts.stopping.aborted) throw await this.#tooLate(runs)
      const complete = await this.#parts.claims.complete(runs)
      if (this.#parts.stopping.aborted) throw await this.#tooLate(runs)
      this.#claimMs.add(performance.now() - claim.startedAt)
      this.#ready.push(...complete)
      for (const { resolve } of claim.waiting) resolve()
    } catch (error) {
      await this.#fail(claim, error)
      // Not before: as long as reading fails, claims that succeed would follow each other without a pause.
      for (const { eventId } of runs) this.#taken.delete(eventId)
    }
  }

  async #fail({ waiting }: Claim, error: unknown): Promise<void> {
    for (const { reject } of waiting) reject(error)
    if (this.#parts.stopping.aborted) return
    this.#parts.onTrouble(error)
    this.#lookFrom = BEGINNING
    await sleep(RETRY_MS, undefined, { signal: this.#parts.stopping, ref: false }).catch(() => undefined)
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
