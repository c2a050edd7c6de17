/**
 * Jobs: long-running work that survives its process.
 *
 * One job of a kind runs at a time. The process that runs it holds a lease and renews it; when the process dies, the
 * lease expires, and the next run with the same scope resumes at the checkpoint. All times are the database's.
 */

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { ClerkSyncError } from '../errors.ts'
import { type JobFact, Telemetry } from '../telemetry.ts'
import { available, messageOf } from './failure.ts'
import { qualify } from './identifier.ts'
import { query } from './query.ts'
import type { ClerkTables, JobStatus } from './tables.ts'

/** A worker that was not heard of for so long is gone. */
const LEASE_MS = 10_000
const HEARTBEAT_MS = 2_500
/** A job stopped longer ago starts from the beginning: Clerk's lists have changed too much. */
export const RESUMABLE_HOURS = 24

export interface JobOptions {
  readonly kind: string
  /** What it is to do, as JSON. */
  readonly scope: unknown
  /** Start from the beginning, even if an earlier run could be resumed. */
  readonly isFresh?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** How far a job is. All of it is JSON. */
export interface JobState {
  readonly checkpoint: unknown
  readonly progress: unknown
  readonly report: unknown
}

export type JobEnd = Exclude<JobStatus, 'running'>

/** A job that this process runs. */
export class Job {
  readonly id: string
  /** What an earlier run left; null for a new job. */
  readonly resumed: JobState | null
  /** Aborted when another process has taken the job over. */
  readonly lost: AbortSignal
  readonly #store: JobStore
  readonly #heartbeat: NodeJS.Timeout
  readonly #losing = new AbortController()

  readonly #kind: string

  constructor(store: JobStore, { id, runs, checkpoint, progress, report }: ClaimedRow, kind: string) {
    this.#store = store
    this.#kind = kind
    this.id = id
    this.resumed = runs > 1 ? { checkpoint, progress, report } : null
    this.lost = this.#losing.signal
    // A heartbeat that fails is not the end: the next may succeed before the lease does.
    this.#heartbeat = setInterval(() => void this.#renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  /**
   * Notes how far it is.
   * @throws {ClerkSyncError} `job_lost` if another process runs it by now, `database_…`
   */
  async save({ checkpoint, progress, report }: JobState): Promise<void> {
    const state = [checkpoint, progress, report].map((value) => JSON.stringify(value ?? null))
    this.#requireOurs(await this.#store.save(this.id, state))
  }

  /** Ends it. */
  async end(status: JobEnd, state: JobState, error?: unknown): Promise<void> {
    clearInterval(this.#heartbeat)
    const values = [state.checkpoint, state.progress, state.report].map((value) =>
      JSON.stringify(value ?? null),
    )
    const described = error === undefined ? undefined : describe(error)
    await this.#store.end(this.id, status, values, described === undefined ? null : JSON.stringify(described))
    this.#store.report({ jobId: this.id, job: this.#kind, status, error: described?.code })
  }

  async #renew(): Promise<void> {
    this.#requireOurs(await this.#store.renew(this.id))
  }

  #requireOurs(isOurs: boolean): void {
    if (isOurs) return
    clearInterval(this.#heartbeat)
    const error = new ClerkSyncError('job_lost', this.id)
    this.#losing.abort(error)
    throw error
  }
}

interface ClaimedRow {
  id: string
  runs: number
  checkpoint: unknown
  progress: unknown
  report: unknown
}

interface RunningRow {
  id: string
  worker: string
  lease_until: Date
  is_over: boolean
}

export class JobStore {
  readonly #database: Kysely<ClerkTables>
  readonly #statements: Statements
  readonly #telemetry: Telemetry
  readonly #worker = `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`

  constructor(database: Kysely<ClerkTables>, schema: string, telemetry = new Telemetry()) {
    this.#telemetry = telemetry
    this.#database = database
    this.#statements = statementsFor(qualify(schema, 'jobs'))
  }

  /**
   * Begins a job, or resumes an earlier run of the same scope.
   *
   * A job whose process was just killed still looks alive: this waits until its lease expires or is renewed.
   * @throws {ClerkSyncError} `job_running`, `database_…`
   */
  async begin({ kind, scope, isFresh = false, signal }: JobOptions): Promise<Job> {
    await this.#waitForOther(kind, signal)
    await this.#query(this.#statements.abandon, [kind])
    const text = JSON.stringify(scope)
    const resumed = isFresh
      ? undefined
      : await this.#claim(this.#statements.resume, [kind, text, this.#worker])
    const id = `job_${Date.now().toString(36)}${randomBytes(8).toString('hex')}`
    const claimed = resumed ?? (await this.#claim(this.#statements.insert, [id, kind, text, this.#worker]))
    if (!claimed) throw new ClerkSyncError('job_running', kind)
    this.report({ jobId: claimed.id, job: kind, status: 'running' })
    return new Job(this, claimed, kind)
  }

  /** Says that a job has begun or ended. */
  report(change: Omit<JobFact, 'kind'>): void {
    this.#telemetry.record({ kind: 'job', ...change })
  }

  /** Whether the job is still ours. */
  async renew(id: string): Promise<boolean> {
    return (await this.#query(this.#statements.renew, [id, this.#worker])).length === 1
  }

  async save(id: string, state: readonly string[]): Promise<boolean> {
    return (await this.#query(this.#statements.save, [id, this.#worker, ...state])).length === 1
  }

  async end(id: string, status: JobEnd, state: readonly string[], error: string | null): Promise<void> {
    await this.#query(this.#statements.end, [id, this.#worker, ...state, status, error])
  }

  async #waitForOther(kind: string, signal: AbortSignal | undefined): Promise<void> {
    const [first] = await this.#query<RunningRow>(this.#statements.running, [kind])
    let other = first
    while (other && !other.is_over) {
      if (first && other.lease_until.getTime() !== first.lease_until.getTime()) {
        throw new ClerkSyncError('job_running', `${other.id}, by ${other.worker}`)
      }
      await sleep(250)
      signal?.throwIfAborted()
      ;[other] = await this.#query<RunningRow>(this.#statements.running, [kind])
    }
  }

  async #claim(statement: string, parameters: readonly unknown[]): Promise<ClaimedRow | undefined> {
    const [row] = await this.#query<ClaimedRow>(statement, parameters)
    return row
  }

  #query<Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> {
    return available(query<Row>(this.#database, text, parameters))
  }
}

function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof ClerkSyncError ? error.code : 'internal_error'
  return { code, message: messageOf(error).slice(0, 2_000) }
}

interface Statements {
  readonly running: string
  readonly abandon: string
  readonly resume: string
  readonly insert: string
  readonly renew: string
  readonly save: string
  readonly end: string
}

const LEASE = `clock_timestamp() + interval '${LEASE_MS} milliseconds'`
const CLAIMED = 'id, runs, checkpoint, progress, report'

function statementsFor(table: string): Statements {
  const state = 'checkpoint = $3::jsonb, progress = $4::jsonb, report = $5::jsonb'
  const alive = `lease_until = ${LEASE}, updated_at = clock_timestamp()`
  const ours = `id = $1 and worker = $2 and status = 'running'`
  return {
    running: `
      select id, worker, lease_until, lease_until < clock_timestamp() as is_over
      from ${table} where kind = $1 and status = 'running'`,
    abandon: `
      update ${table} set status = 'aborted', finished_at = clock_timestamp()
      where kind = $1 and status = 'running' and lease_until < clock_timestamp()`,
    // The latest of this scope, unless it came to its end.
    resume: `
      update ${table} set status = 'running', worker = $3, runs = runs + 1, started_at = clock_timestamp(),
        finished_at = null, error = null, ${alive}
      where status in ('aborted', 'failed') and updated_at > now() - interval '${RESUMABLE_HOURS} hours'
        and id = (
          select id from ${table} where kind = $1 and scope = $2::jsonb order by created_at desc limit 1
        )
      returning ${CLAIMED}`,
    insert: `
      insert into ${table} (id, kind, status, scope, worker, lease_until)
      values ($1, $2, 'running', $3::jsonb, $4, ${LEASE})
      on conflict (kind) where status = 'running' do nothing
      returning ${CLAIMED}`,
    renew: `update ${table} set ${alive} where ${ours} returning id`,
    save: `update ${table} set ${state}, ${alive} where ${ours} returning id`,
    end: `
      update ${table} set ${state}, status = $6, error = $7::jsonb, updated_at = clock_timestamp(),
        finished_at = clock_timestamp()
      where ${ours}`,
  }
}
