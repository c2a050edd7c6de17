/** A replay as a job: its row tells how far it is, and from where another one goes on. */

import { type Job, JobStore } from '../database/jobs.ts'
import type { ClerkSync, EventFilter } from '../index.ts'

export interface Pace {
  readonly perSecond?: number | undefined
  readonly stopAfterFailures?: number | undefined
  readonly note?: string | undefined
}

export interface ReplayTask {
  readonly filter: EventFilter
  /** How many it is about. */
  readonly expected: number
  readonly pace: Pace
}

const SAVE_EVERY_MS = 1_000

export async function replayAsJob(sync: ClerkSync, task: ReplayTask, signal: AbortSignal): Promise<void> {
  const { filter, pace } = task
  const jobs = new JobStore(sync.database, sync.location.schema)
  const job = await jobs.begin({ kind: 'replay', scope: { filter, pace }, isFresh: true, signal })
  const progress = new ReplayProgress(task)
  const saving = setInterval(
    () => void job.save(progress.state('running')).catch(() => undefined),
    SAVE_EVERY_MS,
  )
  try {
    await sync.replay(filter, {
      perSecond: pace.perSecond,
      signal: AbortSignal.any([signal, job.lost, progress.givenUp]),
      onReceipt: ({ outcome }) => progress.add(outcome),
      onBodyGone: () => progress.add('withoutBody'),
      onBatch: (doneUntil) => progress.reach(doneUntil),
    })
    await job.end('complete', progress.state('complete'))
  } catch (error) {
    await endEarly(job, progress, error, signal.aborted)
    throw error
  } finally {
    clearInterval(saving)
  }
}

async function endEarly(
  job: Job,
  progress: ReplayProgress,
  error: unknown,
  isAborted: boolean,
): Promise<void> {
  if (progress.givenUp.aborted) await job.end('incomplete', progress.state('incomplete'))
  else await job.end(isAborted ? 'aborted' : 'failed', progress.state('failed'), error)
}

class ReplayProgress {
  readonly #counts: Record<string, number>
  readonly #stopAfterFailures: number | undefined
  readonly #givingUp = new AbortController()
  #failuresInRow = 0
  #doneUntil: Date | null = null

  constructor({ expected, pace }: ReplayTask) {
    this.#counts = {
      expected,
      listed: 0,
      applied: 0,
      stale: 0,
      ignored: 0,
      parked: 0,
      failed: 0,
      withoutBody: 0,
    }
    this.#stopAfterFailures = pace.stopAfterFailures
  }

  /** Aborted once too many in a row failed again. */
  get givenUp(): AbortSignal {
    return this.#givingUp.signal
  }

  add(outcome: string): void {
    const { listed = 0, [outcome]: before = 0 } = this.#counts
    Object.assign(this.#counts, { listed: listed + 1, [outcome]: before + 1 })
    this.#failuresInRow = outcome === 'failed' ? this.#failuresInRow + 1 : 0
    if (this.#failuresInRow === this.#stopAfterFailures) this.#givingUp.abort()
  }

  reach(doneUntil: Date): void {
    this.#doneUntil = doneUntil
  }

  state(status: string) {
    return {
      checkpoint: this.#doneUntil && { doneUntil: this.#doneUntil.toISOString() },
      progress: { events: { ...this.#counts, status } },
      report: null,
    }
  }
}
