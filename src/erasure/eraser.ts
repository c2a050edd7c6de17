/** Erases people: as a job, when somebody asks for it, and by itself some days after their deletion. */

import { RESOURCES } from '../clerk/catalogue.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { JobStore } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import { ClerkSyncError } from '../errors.ts'
import { createStatements, type Statements } from '../ingest/statements.ts'
import { add, type Counts, type ErasureCounts, newCounts } from './counts.ts'
import { type Checkpoint, Erasure } from './erasure.ts'
import { findLinks } from './links.ts'
import { collect, rowsOf } from './search.ts'
import { type ErasureStatements, erasureStatements } from './statements.ts'
import type { Subject } from './subject.ts'

export interface EraseOptions {
  /**
   * Count what would be erased, and change nothing.
   * @default false
   */
  readonly dryRun?: boolean | undefined
  /** Stops between two batches when aborted; the next call for the same user goes on. The user stays marked as erased. */
  readonly signal?: AbortSignal | undefined
  /** Called after every batch. */
  readonly onProgress?: ((counts: ErasureCounts) => void) | undefined
}

export interface ErasureResult extends ErasureCounts {
  readonly userId: string
  readonly dryRun: boolean
  /** The job that did it; null for a dry run. */
  readonly jobId: string | null
}

/** So many users are erased in one go through the ledger. */
const USERS_AT_ONCE = 50

export class Eraser {
  readonly #database: Database
  readonly #statements: ErasureStatements
  readonly #ingest: Statements
  readonly #links = findLinks()
  #last: Promise<unknown> = Promise.resolve()

  constructor(database: Database) {
    this.#database = database
    this.#statements = erasureStatements(database.schema)
    this.#ingest = createStatements(database.schema)
  }

  /** @throws {ClerkSyncError} `erasure_unsupported`, `job_running`, `database_…`; the signal's reason */
  async erase(userId: string, options: EraseOptions = {}): Promise<ErasureResult> {
    requireUser(userId)
    if (options.dryRun) return { userId, dryRun: true, jobId: null, ...(await this.#count([userId])) }
    const { jobId, counts } = await this.#run([userId], options)
    return { userId, dryRun: false, jobId, ...counts }
  }

  /**
   * Goes on with what was interrupted, and erases the users that were deleted so many days ago.
   * @param days undefined: none are erased by themselves
   * @returns how many users were erased
   */
  async catchUp(days: number | undefined, signal?: AbortSignal): Promise<number> {
    let erased = 0
    for (const users of await this.#unfinished()) {
      await this.#run(users, { signal })
      erased += users.length
    }
    for (;;) {
      const users = days === undefined ? [] : await this.#due(days)
      if (users.length === 0) return erased
      await this.#run(users, { signal })
      erased += users.length
    }
  }

  async #unfinished(): Promise<string[][]> {
    const jobs = await this.#query<{ scope: { users?: string[] } }>(this.#statements.unfinished)
    return jobs.flatMap(({ scope: { users } }) => (users ? [users] : []))
  }

  async #due(days: number): Promise<string[]> {
    const rows = await this.#query<{ id: string }>(this.#statements.due, [days, USERS_AT_ONCE])
    return rows.map(({ id }) => id).sort()
  }

  /** One after the other: each is a job, of which one runs at a time. */
  #run(users: readonly string[], options: EraseOptions) {
    const running = this.#last.catch(() => undefined).then(() => this.#runJob(users, options))
    this.#last = running
    return running
  }

  async #runJob(users: readonly string[], options: EraseOptions) {
    const { bookkeeping, schema } = this.#database
    const { signal } = options
    const job = await new JobStore(bookkeeping, schema).begin({ kind: 'erase', scope: { users }, signal })
    const resumed = job.resumed as { checkpoint: Checkpoint | null; progress: Counts } | null
    const counts = resumed?.progress.rows ? resumed.progress : newCounts()
    const erasure = new Erasure(
      { database: this.#database, statements: this.#statements, ingest: this.#ingest, links: this.#links },
      job,
      counts,
      options,
    )
    try {
      await erasure.run(users, resumed?.checkpoint ?? null)
      await job.end('complete', { checkpoint: null, progress: counts, report: null })
      // What an attempt of more than a day ago knew of them.
      await this.#query(this.#statements.forgetAttempts, [JSON.stringify({ users })])
      return { jobId: job.id, counts }
    } catch (error) {
      await erasure.interrupt(signal?.aborted ? 'aborted' : 'failed', error).catch(() => undefined)
      throw error
    }
  }

  async #count(users: readonly string[]): Promise<Counts> {
    const counts = newCounts()
    const subject = await collect(this.#database, this.#statements, users)
    for (const link of this.#links) {
      const [found] = await this.#query<{ count: number }>(this.#statements.countRows(link), [
        subject.users,
        subject.addresses,
      ])
      add(counts.rows, link.resource.table, found?.count ?? 0)
    }
    await this.#countUsers(counts, users)
    await this.#countEvents(counts, subject)
    for (const [table, { condition }] of Object.entries(this.#statements.texts)) {
      const [found] = await this.#query<{ count: number }>(
        `select count(*)::integer as count from ${this.#table(table)} where ${condition}`,
        [subject.identifiers],
      )
      add(counts.texts, table, found?.count ?? 0)
    }
    return counts
  }

  async #countUsers(counts: Counts, users: readonly string[]): Promise<void> {
    const [row] = await this.#query<{ count: number }>(
      `select count(*)::integer as count from ${this.#table('users')} where id = any($1::text[]) and erased_at is null`,
      [users],
    )
    add(counts.rows, 'users', row?.count ?? 0)
    for (const { table, parentColumn } of RESOURCES.get('users')?.children ?? []) {
      const [members] = await this.#query<{ count: number }>(
        `select count(*)::integer as count from ${this.#table(table)} where ${parentColumn} = any($1::text[])`,
        [users],
      )
      add(counts.rows, table, members?.count ?? 0)
    }
  }

  async #countEvents(counts: Counts, subject: Subject): Promise<void> {
    const ids = [...subject.users]
    for (const link of this.#links) {
      for await (const batch of rowsOf(this.#database, this.#statements, link, subject)) ids.push(...batch)
    }
    const [found] = await this.#query<{ events: number; runs: number }>(this.#statements.countEventsOf, [ids])
    counts.events += found?.events ?? 0
    counts.runs += found?.runs ?? 0
  }

  #table(name: string): string {
    return qualify(this.#database.schema, name)
  }

  #query<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return available(query<Row>(this.#database.bookkeeping, text, parameters))
  }
}

function requireUser(id: string): void {
  if (/^user_\w+$/.test(id) && id.length <= 255) return
  throw new ClerkSyncError('erasure_unsupported', id.slice(0, 80))
}
