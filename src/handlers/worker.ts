/**
 * A worker: an intake for each handler, the runs under way, and a lease that is kept by a heartbeat.
 *
 * Each handler has its own slots, so that one that is slow or hangs holds up no other.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { readContent } from '../clerk/event.ts'
import { withoutPersonalData } from '../clerk/personal-data.ts'
import { available, messageOf } from '../database/failure.ts'
import { ClerkSyncError, type ErrorCode } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { RunFact, Telemetry } from '../telemetry.ts'
import { Batch } from './batch.ts'
import type { Claims } from './claims.ts'
import type { Completions } from './completion.ts'
import type { Engine, Runner, Scope, Wake } from './engine.ts'
import { type Ending, Execution } from './execution.ts'
import { describeFailure } from './failure.ts'
import type { HandlerDefinition } from './handler.ts'
import { Heartbeat } from './heartbeat.ts'
import { Intake } from './intake.ts'
import type { Lease } from './lease.ts'
import { limited } from './limited-log.ts'
import type { Registry } from './registry.ts'
import { delayAfter } from './retry.ts'
import { type ClaimedRun, type FailedRun, nameOf, type RunKey } from './run.ts'
import type { Slot } from './slots.ts'
import { catchStrays, releaseStrays } from './stray-rejections.ts'
import type { Transactions } from './transactions.ts'
import { toWake } from './wakes.ts'

export interface WorkerParts {
  readonly registry: Registry
  readonly lease: Lease
  readonly claims: Claims
  readonly completions: Completions
  readonly transactions: Transactions
  readonly wake: (wakes: readonly Wake[]) => void
  readonly log: Logger
  readonly telemetry: Telemetry
}

/** A try, as it is logged: with the message `handler`. */
export type TriedRun = Omit<RunFact, 'kind'>

/** How many tries a worker has made. */
export interface WorkerTotals {
  succeeded: number
  failed: number
}

interface UnderWay {
  readonly execution: Execution
  /** Once its end is written down. */
  readonly finished: Promise<void>
}

/** A run that the database's own trouble ended is tried again after this, whatever the handler's schedule. */
const INTERRUPTED_MS = 1_000
/** A connection that does not answer any more holds up the end of the process no longer than this. */
const FAREWELL_MS = 1_000
const MAX_MARKS = 500
const RELEASE_RETRY_MS = 500
const EARLY_MS = 1_000

export class Worker implements Runner {
  readonly totals: WorkerTotals = { succeeded: 0, failed: 0 }
  readonly #parts: WorkerParts
  /** Limits log lines that repeat while the database is unavailable. */
  readonly #troubleLog: Logger
  readonly #intakes: ReadonlyMap<string, Intake>
  /** By claim, not by name: a run whose lease was lost may come again while its first try still goes on. */
  readonly #underWay = new Map<ClaimedRun, UnderWay>()
  /** Names of runs that have begun, for those who wait for some. */
  readonly #watching = new Set<Set<string>>()
  readonly #marks: Batch<ClaimedRun, boolean>
  readonly #heartbeat: Heartbeat
  readonly #stopping = new AbortController()
  /** Runs that were not given back yet, or whose end was not written down. */
  #kept = 0

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#troubleLog = limited(parts.log)
    this.#intakes = new Map(
      parts.registry.definitions.map((definition) => [definition.name, this.#createIntake(definition)]),
    )
    this.#marks = new Batch((runs) => this.#mark(runs), MAX_MARKS)
    this.#heartbeat = new Heartbeat({
      lease: parts.lease,
      onLost: (worker) => this.#lose(worker),
      onBlocked: (ms) => this.#reportBlocked(ms),
      onTrouble: (error) =>
        this.#troubleLog.warn({ cause: messageOf(error) }, 'cannot extend the lease of this worker'),
    })
    catchStrays()
  }

  /** @throws {ClerkSyncError} `database_…`, if runs cannot be claimed now */
  async begin(): Promise<void> {
    await available(this.#parts.lease.hold())
  }

  look(handlers: readonly string[], scope: Scope): void {
    for (const handler of handlers) this.#intakes.get(handler)?.look(scope)
  }

  async take(handler: string): Promise<void> {
    this.#throwIfStopping()
    const intake = this.#intakes.get(handler)
    // A handler of another version of the app: some other worker knows it.
    if (intake === undefined) return
    const claimed = intake.claimed()
    intake.look('recent')
    await claimed
  }

  async run(keys: readonly RunKey[]): Promise<void> {
    const begun = new Set<string>()
    this.#watching.add(begun)
    try {
      await this.#runDue(keys)
      const rest = keys.filter((key) => !begun.has(nameOf(key)))
      if (rest.length === 0) return
      // Wakes may come a little early: clocks differ, and timers are not exact.
      await sleep(EARLY_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined)
      await this.#runDue(rest)
    } finally {
      this.#watching.delete(begun)
    }
  }

  /** What was recorded or set free in this process. */
  wake(wakes: readonly Wake[]): void {
    const oldest = Date.now() - RECENT_MS
    for (const [handler, ofHandler] of Map.groupBy(wakes, (wake) => wake.handler)) {
      const isOrdered = this.#parts.registry.find(handler)?.isOrdered
      const isOld = ofHandler.some(({ at }) => at !== null && at.getTime() < oldest)
      // Looking through the table passes all those that wait in their lines.
      if (isOrdered) this.#intakes.get(handler)?.want(ofHandler.map(({ eventId }) => eventId))
      else this.look([handler], isOld ? 'all' : 'recent')
    }
  }

  /** Looks for everything that is due, and for the runs of lost workers. */
  async lookAround(): Promise<void> {
    try {
      await this.#parts.lease.reap()
      this.look([...this.#intakes.keys()], 'all')
    } catch (error) {
      this.#reportTrouble(error)
    }
  }

  /** Looks around until the worker stops. */
  async keepLooking(engine: Pick<Engine, 'lookEveryMs'>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.lookAround()
      await sleep(engine.lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0 && [...this.#intakes.values()].every((intake) => intake.isIdle)
  }

  /** Takes nothing more, waits for what is under way, and gives back what does not end in time. */
  async stop(graceMs: number): Promise<void> {
    if (this.isStopping) return
    this.#stopping.abort(new ClerkSyncError('shutting_down'))
    await within(FAREWELL_MS, Promise.all([...this.#intakes.values()].map((intake) => intake.stop())))
    await within(graceMs, this.#ended())
    for (const { execution } of this.#underWay.values()) execution.abort(new ClerkSyncError('shutting_down'))
    await within(2 * FAREWELL_MS, this.#ended())
    this.#heartbeat.stop()
    const isClean = this.#kept === 0 && this.#underWay.size === 0 && !this.#parts.claims.isDoubtful
    await within(FAREWELL_MS, this.#parts.lease.end(isClean))
    releaseStrays()
  }

  #createIntake(definition: HandlerDefinition): Intake {
    return new Intake(definition, {
      claims: this.#parts.claims,
      stopping: this.#stopping.signal,
      start: (run, slot) => void this.#execute(run, definition, slot),
      giveBack: (runs) => this.#giveBack(runs, 0),
      onTrouble: (error) => this.#reportTrouble(error),
    })
  }

  async #runDue(keys: readonly RunKey[]): Promise<void> {
    this.#throwIfStopping()
    for (const [handler, ofHandler] of Map.groupBy(keys, (key) => key.handler)) {
      const eventIds = ofHandler.map(({ eventId }) => eventId)
      await this.#claimed(this.#intakes.get(handler), eventIds)
    }
    const names = new Set(keys.map(nameOf))
    const these = [...this.#underWay].filter(([run]) => names.has(nameOf(run)))
    await Promise.all(these.map(([, { finished }]) => finished))
  }

  /** Resolves once these runs were claimed or turned out not to be due, and those claimed have begun. */
  async #claimed(intake: Intake | undefined, eventIds: readonly string[]): Promise<void> {
    if (intake === undefined) return
    const claimed = intake.claimed()
    intake.want(eventIds)
    await claimed
    while (eventIds.some((eventId) => intake.isPending(eventId)) && !this.isStopping) await sleep(5)
  }

  /** Resolves when nothing is under way, and its ends are written down. */
  async #ended(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.allSettled([...this.#underWay.values()].map(({ finished }) => finished))
    }
    await this.#parts.completions.idle()
  }

  async #execute(run: ClaimedRun, definition: HandlerDefinition, slot: Slot): Promise<void> {
    for (const begun of this.#watching) begun.add(nameOf(run))
    const execution = new Execution(run, definition, {
      ...this.#parts,
      mark: (last) => this.#marks.add(last),
      onHandled: () => slot.free(),
    })
    const finished = execution.ended.then((ending) =>
      this.#finish(run, definition, ending, execution.startedAt),
    )
    this.#underWay.set(run, { execution, finished })
    try {
      await finished
    } finally {
      // Whatever happens: who stops the worker waits for those under way.
      this.#underWay.delete(run)
      slot.free()
    }
  }

  async #mark(runs: readonly ClaimedRun[]): Promise<boolean[]> {
    const ours = new Set(await this.#parts.claims.mark(runs))
    return runs.map((run) => ours.has(run))
  }

  /** Never rejects: a run whose end cannot be written down is made again when its lease is over. */
  async #finish(
    run: ClaimedRun,
    definition: HandlerDefinition,
    ending: Ending,
    startedAt: number,
  ): Promise<void> {
    const { handler, eventId, attempt } = run
    const tried = { handler, eventId, attempt, ms: Math.round(performance.now() - startedAt) }
    if (ending.kind === 'succeeded') {
      this.totals.succeeded++
      return this.#record({ ...tried, ending: 'handled' }, run)
    }
    const failure = describeFailure(ending.thrown)
    if (!isTry(ending, definition)) {
      this.#record({ ...tried, error: failure.error, ending: 'interrupted' }, run)
      if (ending.kind === 'lost') return
      return this.#giveBack([run], isCode(ending.thrown, 'shutting_down') ? 0 : INTERRUPTED_MS)
    }
    this.totals.failed++
    const isHopeless = isCode(ending.thrown, 'body_gone') || isCode(ending.thrown, 'secrets_forgotten')
    const delay = isHopeless ? undefined : delayAfter(attempt, definition.retryDelays)
    await this.#fail({ run, ...failure, delay }, tried)
  }

  async #fail(failure: FailedRun, tried: Omit<TriedRun, 'ending'>): Promise<void> {
    const { run, error, delay } = failure
    try {
      await this.#parts.completions.fail(failure)
      const ending = delay === undefined ? 'dead' : 'retrying'
      this.#record({ ...tried, error, retryInSeconds: delay, ending }, run)
    } catch (cause) {
      this.#kept++
      this.#parts.log.error({ ...tried, cause: messageOf(cause) }, 'failed to record handler result')
    }
  }

  /** Without what the event says of people: what a handler throws often quotes it. */
  #record(tried: TriedRun, { body }: ClaimedRun): void {
    const { error } = tried
    const shown = error && { error: withoutPersonalData(error, body && readContent(body).event?.data) }
    this.#parts.telemetry.record({ kind: 'run', ...tried, ...shown })
  }

  #reportTrouble(error: unknown): void {
    if (this.isStopping) return
    this.#troubleLog.warn({ cause: messageOf(error) }, 'cannot claim handler runs; trying again')
  }

  /** Never rejects. As long as the worker lives nobody else takes the runs, so that it must succeed some time. */
  async #giveBack(runs: readonly ClaimedRun[], delayMs: number): Promise<void> {
    if (runs.length === 0) return
    this.#kept += runs.length
    while (!(await this.#release(runs, delayMs))) {
      if (this.isStopping) return
      await sleep(RELEASE_RETRY_MS, undefined, { ref: false })
    }
    this.#kept -= runs.length
  }

  async #release(runs: readonly ClaimedRun[], delayMs: number): Promise<boolean> {
    const { claims, wake } = this.#parts
    try {
      wake((await claims.release(runs, delayMs)).map(toWake))
      return true
    } catch (error) {
      this.#reportTrouble(error)
      return false
    }
  }

  #lose(worker: string): void {
    for (const [run, { execution }] of this.#underWay) {
      if (run.worker === worker) execution.abort(new ClerkSyncError('handler_lost'))
    }
  }

  #reportBlocked(ms: number): void {
    const handlers = [...new Set([...this.#underWay.keys()].map(({ handler }) => handler))]
    if (handlers.length === 0) return
    this.#parts.log.warn({ handlers, ms }, 'the event loop was blocked, probably by one of these handlers')
  }

  #throwIfStopping(): void {
    this.#stopping.signal.throwIfAborted()
  }
}

/** What has been due for longer than the usual look goes back. */
const RECENT_MS = 10_000

/** Whether a failure counts. Without retries a handler is called once, whatever ended the call. */
function isTry({ kind }: Ending, { retryDelays }: HandlerDefinition): boolean {
  return kind === 'failed' || (kind === 'broken' && retryDelays.length === 0)
}

/** Resolves when the work is done or the time is up. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const waiting = new AbortController()
  const late = sleep(ms, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), late])
  waiting.abort()
}

function isCode(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof ClerkSyncError && thrown.code === code
}
