/**
 * A worker: takes runs that it is woken for, looks for those that nobody was woken for, and keeps its leases.
 *
 * Each handler has its own slots, so that one that is slow or hangs holds up no other.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { messageOf } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import { ClerkSyncError, type ErrorCode } from '../errors.ts'
import { GroupCommit } from '../ledger/group-commit.ts'
import type { Logger } from '../log.ts'
import type { RunKey, Runner, Sweep } from './engine.ts'
import { type Ending, Execution } from './execution.ts'
import { describeFailure } from './failure.ts'
import type { HandlerDefinition } from './handler.ts'
import type { Registry } from './registry.ts'
import { delayAfter } from './retry.ts'
import { type ClaimedRun, LEASE_MS, nameOf, type Runs } from './runs.ts'
import { Slots } from './slots.ts'

/** Four heartbeats may be missed before a lease ends. */
const HEARTBEAT_MS = LEASE_MS / 4
/** What one look into the table takes at a time. */
const SWEEP_BATCH = 50
/** As long as the lease of a run surely holds that has just been renewed for the last time. */
const COMPLETION_PATIENCE_MS = LEASE_MS - 2 * HEARTBEAT_MS
const COMPLETION_RETRY_MS = 200

export interface WorkerParts {
  readonly database: Database
  readonly runs: Runs
  readonly registry: Registry
  readonly log: Logger
}

/** What is logged of every try, as `handler`. */
export interface TriedRun {
  readonly handler: string
  readonly eventId: string
  readonly attempt: number
  readonly ms: number
  readonly ending: 'handled' | 'retrying' | 'dead'
  readonly error?: string
  readonly retryInSeconds?: number | undefined
}

/** How many tries a worker has made. */
export interface WorkerTotals {
  succeeded: number
  failed: number
}

/** How a handler's runs come in. */
interface Intake {
  readonly slots: Slots
  readonly waiting: {
    readonly key: RunKey
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }[]
  isClaiming: boolean
}

interface UnderWay {
  readonly execution: Execution
  /** Once its end is written down. */
  readonly settled: Promise<void>
}

export class Worker implements Runner {
  readonly totals: WorkerTotals = { succeeded: 0, failed: 0 }
  readonly #parts: WorkerParts
  readonly #intakes: ReadonlyMap<string, Intake>
  /** By claim, not by name: a run whose lease was lost may come again while its first try still goes on. */
  readonly #underWay = new Map<ClaimedRun, UnderWay>()
  /** Claims that are being made: what they bring belongs to this process already. */
  readonly #claiming = new Set<Promise<unknown>>()
  readonly #completions: GroupCommit<ClaimedRun, undefined>
  readonly #heartbeat: NodeJS.Timeout
  readonly #stopping = new AbortController()
  #lastBeat = Date.now()

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#intakes = new Map(
      parts.registry.definitions.map(({ name, concurrency }) => [
        name,
        { slots: new Slots(concurrency), waiting: [], isClaiming: false },
      ]),
    )
    this.#completions = new GroupCommit(
      (runs) => this.#complete(runs),
      () => 1,
      {
        maxItems: 500,
        maxCommits: 1,
        deadlineMs: LEASE_MS,
      },
    )
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref()
  }

  /** What the handlers did is done: a database that is away for a moment must not have it done again. */
  async #complete(runs: readonly ClaimedRun[]): Promise<undefined[]> {
    const until = performance.now() + COMPLETION_PATIENCE_MS
    for (;;) {
      try {
        await this.#parts.runs.succeed(runs)
        return runs.map(() => undefined)
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(COMPLETION_RETRY_MS)
      }
    }
  }

  async take(keys: readonly RunKey[]): Promise<void> {
    const byHandler = Map.groupBy(keys, ({ handler }) => handler)
    await Promise.all([...byHandler].map(([handler, ofHandler]) => this.#takeOf(handler, ofHandler)))
  }

  async run(keys: readonly RunKey[]): Promise<void> {
    await this.take(keys)
    const names = new Set(keys.map(nameOf))
    const these = [...this.#underWay].filter(([run]) => names.has(nameOf(run)))
    await Promise.all(these.map(([, { settled }]) => settled))
  }

  /** Looks for overdue runs until the worker stops. */
  async sweep({ everyMs, graceMs }: Sweep): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const isMore = await this.takeOverdue(graceMs).catch((error) => {
        this.#parts.log.warn({ cause: messageOf(error) }, 'cannot look for runs that are due')
        return false
      })
      if (!isMore) await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Takes overdue runs into free slots; returns whether there may be more. */
  async takeOverdue(graceMs: number): Promise<boolean> {
    const taken = await Promise.all(
      this.#parts.registry.definitions.map((definition) => this.#takeOverdueOf(definition, graceMs)),
    )
    return taken.some(Boolean)
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0 && this.#claiming.size === 0
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Resolves when one of those under way ends, or after so many milliseconds. */
  async someEnd(atMostMs: number): Promise<void> {
    const ends = [...this.#underWay.values()].map(({ settled }) => settled)
    await Promise.race([...ends, sleep(atMostMs, undefined, { ref: false })])
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (!this.isIdle) {
      const ends = [...this.#underWay.values()].map(({ settled }) => settled)
      await Promise.allSettled([...ends, ...this.#claiming])
    }
  }

  /** Takes nothing more, waits for what is under way, and gives back what does not end in time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new ClerkSyncError('shutting_down'))
    await Promise.race([this.idle(), sleep(graceMs, undefined, { ref: false })])
    for (const { execution } of this.#underWay.values()) execution.abort(new ClerkSyncError('shutting_down'))
    await this.idle()
    clearInterval(this.#heartbeat)
    await this.#completions.close()
  }

  /** What comes while runs are being claimed is claimed together with what comes next. */
  async #takeOf(handler: string, keys: readonly RunKey[]): Promise<void> {
    const intake = this.#intakes.get(handler)
    // A handler of another version of the app: some other worker knows it.
    if (intake === undefined) return
    const taken = keys.map((key) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      intake.waiting.push({ key, resolve, reject })
      return promise
    })
    if (!intake.isClaiming) void this.#claimWaiting(intake)
    await Promise.all(taken)
  }

  async #claimWaiting(intake: Intake): Promise<void> {
    const { slots, waiting } = intake
    intake.isClaiming = true
    while (waiting.length > 0) {
      const count = await slots.acquire(waiting.length)
      const batch = waiting.splice(0, count)
      const claim = () => this.#parts.runs.claim(batch.map(({ key }) => key))
      const settled = await this.#begin(slots, count, claim).then(
        () => null,
        (error) => ({ error }),
      )
      for (const { resolve, reject } of batch) settled ? reject(settled.error) : resolve()
    }
    intake.isClaiming = false
  }

  async #takeOverdueOf({ name }: HandlerDefinition, graceMs: number): Promise<boolean> {
    const { slots } = this.#intakes.get(name) as Intake
    const count = slots.tryAcquire(SWEEP_BATCH)
    if (count === 0) return false
    return (
      (await this.#begin(slots, count, () => this.#parts.runs.claimOverdue(name, count, graceMs))) === count
    )
  }

  /** Claims into slots that were acquired, and starts what was claimed; returns how many. */
  async #begin(slots: Slots, count: number, claim: () => Promise<ClaimedRun[]>): Promise<number> {
    const starting = this.#start(slots, claim)
    this.#claiming.add(starting)
    let begun = 0
    try {
      begun = await starting
      return begun
    } finally {
      this.#claiming.delete(starting)
      slots.release(count - begun)
    }
  }

  /** @throws {ClerkSyncError} `shutting_down`, so that the engine delivers it to others */
  async #start(slots: Slots, claim: () => Promise<ClaimedRun[]>): Promise<number> {
    const { signal } = this.#stopping
    signal.throwIfAborted()
    const runs = await claim()
    try {
      signal.throwIfAborted()
      const rows = await this.#rowsOf(runs)
      for (const run of runs) void this.#execute(run, rows.get(rowName(run)) ?? null, slots)
      return runs.length
    } catch (error) {
      await this.#parts.runs.release(runs).catch(() => undefined)
      throw error
    }
  }

  /** The rows that the runs' events are about, as they are now. */
  async #rowsOf(runs: readonly ClaimedRun[]): Promise<Map<string, object>> {
    const { bookkeeping, schema } = this.#parts.database
    const rows = new Map<string, object>()
    for (const [resource, ofResource] of Map.groupBy(runs, (run) => run.resource)) {
      if (resource === null) continue
      const statement = `select * from ${qualify(schema, resource)} where id = any($1::text[])`
      const found = await query<{ id: string }>(bookkeeping, statement, [
        ofResource.map((run) => run.resourceId),
      ])
      for (const row of found) rows.set(`${resource} ${row.id}`, row)
    }
    return rows
  }

  async #execute(run: ClaimedRun, row: object | null, slots: Slots): Promise<void> {
    const definition = this.#parts.registry.get(run.handler)
    const slot = slots.occupied()
    // The handler is done: the next run is claimed while this one's end is written down.
    const complete = (done: ClaimedRun) => {
      slot.free()
      return this.#completions.submit(done)
    }
    const execution = new Execution(run, definition, row, { ...this.#parts, complete })
    const settled = execution.ended.then((ending) =>
      this.#settle(run, definition, ending, execution.startedAt),
    )
    this.#underWay.set(run, { execution, settled })
    await settled
    slot.free()
    this.#underWay.delete(run)
  }

  /** Never rejects: a run whose end cannot be written down is made again when its lease is over. */
  async #settle(
    run: ClaimedRun,
    definition: HandlerDefinition,
    ending: Ending,
    startedAt: number,
  ): Promise<void> {
    const { log, runs } = this.#parts
    const { handler, eventId, attempt } = run
    const tried = { handler, eventId, attempt, ms: Math.round(performance.now() - startedAt) }
    this.totals[ending.isDone ? 'succeeded' : 'failed']++
    if (ending.isDone) return log.info({ ...tried, ending: 'handled' } satisfies TriedRun, 'handler')
    const { thrown } = ending
    try {
      if (isCode(thrown, 'shutting_down')) return await runs.release([run])
      const failure = describeFailure(thrown)
      const delay = isCode(thrown, 'body_gone') ? undefined : delayAfter(attempt, definition.retryDelays)
      await runs.fail([{ run, ...failure, delay }])
      this.#tell({
        ...tried,
        error: failure.error,
        retryInSeconds: delay,
        ending: delay === undefined ? 'dead' : 'retrying',
      })
    } catch (error) {
      log.error({ ...tried, cause: messageOf(error) }, 'cannot write down how a handler ended')
    }
  }

  #tell(tried: TriedRun): void {
    this.#parts.log[tried.ending === 'dead' ? 'error' : 'warn'](tried, 'handler')
  }

  async #beat(): Promise<void> {
    const { log, runs } = this.#parts
    const late = Date.now() - this.#lastBeat - HEARTBEAT_MS
    this.#lastBeat = Date.now()
    const held = [...this.#underWay.keys()]
    if (held.length === 0) return
    const handlers = [...new Set(held.map(({ handler }) => handler))]
    if (late > HEARTBEAT_MS)
      log.warn({ handlers, ms: late }, 'the event loop was blocked; one of these handlers may have done it')
    const lost = await runs.renew(held).catch((error) => {
      log.warn({ cause: messageOf(error) }, 'cannot extend the leases of handlers')
      return []
    })
    // One that ended meanwhile has no claim to extend either; aborting it changes nothing.
    for (const run of lost) this.#underWay.get(run)?.execution.abort(new ClerkSyncError('handler_lost'))
  }
}

function isCode(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof ClerkSyncError && thrown.code === code
}

function rowName({ resource, resourceId }: ClaimedRun): string {
  return `${resource} ${resourceId}`
}
