/**
 * Erases a person: everything that the schema holds of them, but ids and times.
 *
 * Their row is marked first, so that nothing new comes in while the rest is looked for: the guard refuses whatever shows more
 * of an erased user than an id. The row's data goes last, because until then it says what else is theirs. Everything in
 * between is done in batches beside the deliveries, each of which may be done again, as a job that goes on after a crash.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { findEvent, RESOURCES } from '../clerk/catalogue.ts'
import { readContent } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import { resourcesIn } from '../clerk/person.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { type Job, JobStore } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import { ClerkSyncError } from '../errors.ts'
import { withoutFieldsOfEvent } from '../ingest/entry.ts'
import { bucketOf } from '../ingest/family-locks.ts'
import { createStatements, type Statements } from '../ingest/statements.ts'
import { findLinks, type Link } from './links.ts'
import { rewriteRows } from './rewrite.ts'
import { BATCH, type ErasureStatements, erasureStatements, ROWS_BATCH } from './statements.ts'
import { type Subject, SubjectBuilder, shareOfBody } from './subject.ts'

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

/** What was erased, or would be. */
export interface ErasureCounts {
  /** Rows, by table. */
  readonly rows: Readonly<Record<string, number>>
  /** Events of which the body, the changes and the error's text were removed, or a part of the body. */
  readonly events: number
  /** Runs of handlers for these events, and others whose error or note quoted the person. */
  readonly runs: number
  /** Entries elsewhere that quoted the person: of the audit log, jobs, refused requests, paused handlers. */
  readonly texts: Readonly<Record<string, number>>
}

export interface ErasureResult extends ErasureCounts {
  readonly userId: string
  readonly dryRun: boolean
  /** The job that did it; null for a dry run. */
  readonly jobId: string | null
}

/** Where an interrupted erasure goes on. Of the person it holds what the rows may not say any more; it goes with the job's end. */
interface Checkpoint {
  readonly subject: Subject
  readonly isSwept: boolean
  readonly after: Position
}

interface Position {
  readonly at: string
  readonly id: string
}

const FIRST: Position = { at: '-infinity', id: '' }
/** Leaves the database to the deliveries for as long as a batch takes. */
const PAUSE_MS = 10
/** So many users are erased in one go through the ledger. */
const USERS_AT_ONCE = 50

interface Counts {
  rows: Record<string, number>
  events: number
  runs: number
  texts: Record<string, number>
}

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

interface Parts {
  readonly database: Database
  readonly statements: ErasureStatements
  readonly ingest: Statements
  readonly links: readonly Link[]
}

/** One erasure, under way. */
class Erasure {
  readonly #parts: Parts
  readonly #job: Job
  readonly #counts: Counts
  readonly #options: EraseOptions
  #checkpoint: Checkpoint | null = null

  constructor(parts: Parts, job: Job, counts: Counts, options: EraseOptions) {
    this.#parts = parts
    this.#job = job
    this.#counts = counts
    this.#options = options
  }

  async run(users: readonly string[], checkpoint: Checkpoint | null): Promise<void> {
    const { database, statements, links } = this.#parts
    await this.#mark(users)
    this.#checkpoint = checkpoint ?? {
      subject: await collect(database, statements, users),
      isSwept: false,
      after: FIRST,
    }
    await this.#save()
    const { subject } = this.#checkpoint
    for (const link of links) await this.#eraseRows(link, subject)
    await this.#emptyEventsOf(subject.users)
    if (!this.#checkpoint.isSwept) await this.#sweepEvents(subject)
    await this.#maskTexts(subject)
    await this.#eraseUsers(users)
  }

  /** What is known of the person stays with an interrupted job, and only there. */
  async interrupt(status: 'aborted' | 'failed', error: unknown): Promise<void> {
    await this.#job.end(status, this.#state, error)
  }

  get #state() {
    return { checkpoint: this.#checkpoint, progress: this.#counts, report: null }
  }

  async #save(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    this.#job.lost.throwIfAborted()
    await this.#job.save(this.#state)
    this.#options.onProgress?.(this.#counts)
    await sleep(PAUSE_MS)
  }

  /** Alone with the family: a transaction that has looked for the mark before it was there has committed by then. */
  async #mark(users: readonly string[]): Promise<void> {
    const { database, statements, ingest } = this.#parts
    const buckets = [...new Set(users.map(bucketOf))]
    const lock = { text: ingest.lockFamilies, parameters: [buckets, buckets.map(() => true)] }
    const transaction = await database.beginRepairs([lock])
    await transaction.commit([{ text: statements.mark, parameters: [users] }])
  }

  async #eraseRows(link: Link, subject: Subject): Promise<void> {
    const { database, statements, ingest } = this.#parts
    const { resource, share } = link
    for await (const ids of rowsOf(database, statements, link, subject)) {
      if (share === 'all') {
        await this.#emptyEventsOf(ids)
        await this.#query(ingest.of(resource).erase, [ids])
      } else {
        await this.#rewriteEventsOf(ids, share)
        await rewriteRows(database, ingest, resource, ids, share)
      }
      add(this.#counts.rows, resource.table, ids.length)
      await this.#save()
    }
  }

  async #emptyEventsOf(resourceIds: readonly string[]): Promise<void> {
    for (let after = FIRST; ; ) {
      const [batch] = await this.#query<EmptiedRow>(this.#parts.statements.emptyEventsOf, [
        resourceIds,
        after.at,
        after.id,
      ])
      if (!batch || batch.id === null) return
      this.#counts.events += batch.events
      this.#counts.runs += batch.runs
      if (batch.events < BATCH) return
      after = { at: batch.occurred_at.toISOString(), id: batch.id }
      await this.#save()
    }
  }

  async #rewriteEventsOf(resourceIds: readonly string[], fields: readonly string[]): Promise<void> {
    for (let after = FIRST; ; ) {
      const rows = await this.#query<BodyRow & { occurred_at: Date }>(this.#parts.statements.bodiesOf, [
        resourceIds,
        after.at,
        after.id,
      ])
      await this.#rewriteEvents(rows, fields)
      const last = rows.at(-1)
      if (!last || rows.length < BATCH) return
      after = { at: last.occurred_at.toISOString(), id: last.id }
    }
  }

  async #rewriteEvents(rows: readonly BodyRow[], fields: readonly string[]): Promise<void> {
    if (rows.length === 0) return
    const reduce = (body: Buffer | null) => body && withoutFieldsOfEvent(body, fields)
    await this.#query(this.#parts.statements.rewriteEvents, [
      rows.map(({ id }) => id),
      rows.map(({ body }) => reduce(body)),
      rows.map(({ secret_body }) => reduce(secret_body)),
    ])
    this.#counts.events += rows.length
  }

  /** The whole ledger once: events that have no row, because they were parked, ignored or failed, or their row is gone. */
  async #sweepEvents(subject: Subject): Promise<void> {
    const values = [...subject.users, ...subject.spellings]
    for (;;) {
      const { after } = this.#checkpoint as Checkpoint
      const rows = await this.#query<BodyRow & { received_at: Date }>(this.#parts.statements.mentioning, [
        after.at,
        after.id,
        values,
      ])
      await this.#takeMentioning(
        rows.filter(({ body }) => body !== null),
        subject,
      )
      const last = rows.at(-1)
      const isSwept = !last || rows.length < BATCH
      const position = last ? { at: last.received_at.toISOString(), id: last.id } : after
      this.#checkpoint = { subject, isSwept, after: position }
      await this.#save()
      if (isSwept) return
    }
  }

  async #takeMentioning(rows: readonly BodyRow[], subject: Subject): Promise<void> {
    const shares = rows.map((row) => ({ row, share: shareOfBody(row.body as Buffer, subject) }))
    const whole = shares.filter(({ share }) => share === 'all').map(({ row }) => row.id)
    if (whole.length > 0) {
      const [batch] = await this.#query<EmptiedRow>(this.#parts.statements.emptyEvents, [whole])
      this.#counts.events += batch?.events ?? 0
      this.#counts.runs += batch?.runs ?? 0
    }
    for (const { row, share } of shares) {
      if (share !== null && share !== 'all') await this.#rewriteEvents([row], share)
    }
  }

  async #maskTexts(subject: Subject): Promise<void> {
    const { statements, database } = this.#parts
    for (const [table, { condition, set }] of Object.entries(statements.texts)) {
      const name = qualify(database.schema, table)
      const [masked] = await this.#query<{ count: number }>(
        `with masked as (update ${name} set ${set} where ${condition} returning 1)
         select count(*)::integer as count from masked`,
        [subject.identifiers],
      )
      add(this.#counts.texts, table, masked?.count ?? 0)
    }
    for (let after = { event_id: '', handler: '' }; ; ) {
      const [batch] = await this.#query<RunTextsRow>(statements.runTexts, [
        subject.identifiers,
        after.event_id,
        after.handler,
      ])
      this.#counts.runs += batch?.changed ?? 0
      if (!batch?.event_id || !batch.handler) return
      after = { event_id: batch.event_id, handler: batch.handler }
      await this.#save()
    }
  }

  async #eraseUsers(users: readonly string[]): Promise<void> {
    const resource = RESOURCES.get('users') as Resource
    await this.#query(this.#parts.ingest.of(resource).erase, [users])
    add(this.#counts.rows, 'users', users.length)
  }

  #query<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return available(query<Row>(this.#parts.database.bookkeeping, text, parameters))
  }
}

interface EmptiedRow {
  events: number
  runs: number
  occurred_at: Date
  id: string | null
}

interface BodyRow {
  id: string
  body: Buffer | null
  secret_body: Buffer | null
}

interface RunTextsRow {
  seen: number
  changed: number
  event_id: string | null
  handler: string | null
}

function newCounts(): Counts {
  return { rows: {}, events: 0, runs: 0, texts: {} }
}

function add(counts: Record<string, number>, name: string, count: number): void {
  if (count > 0) counts[name] = (counts[name] ?? 0) + count
}

function requireUser(id: string): void {
  if (/^user_\w+$/.test(id) && id.length <= 255) return
  throw new ClerkSyncError('erasure_unsupported', id.slice(0, 80))
}

/** The ids of the rows of a link that are not erased yet, in batches. */
async function* rowsOf(
  { bookkeeping }: Database,
  { rows }: ErasureStatements,
  link: Link,
  { users, addresses }: Subject,
): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const found = await available(query<{ id: string }>(bookkeeping, rows(link), [users, addresses, after]))
    if (found.length > 0) yield found.map(({ id }) => id)
    if (found.length < ROWS_BATCH) return
    after = found.at(-1)?.id ?? ''
  }
}

/** What the rows and the events say is theirs: addresses that they had before are only in events. */
async function collect(
  database: Database,
  statements: ErasureStatements,
  users: readonly string[],
): Promise<Subject> {
  const builder = new SubjectBuilder(users)
  const ask = <Row>(text: string, parameters: readonly unknown[]) =>
    available(query<Row>(database.bookkeeping, text, parameters))
  for (const { raw } of await ask<{ raw: string }>(statements.raws, [users])) builder.addUser(JSON.parse(raw))
  for (let after = FIRST; ; ) {
    const rows = await ask<BodyRow & { occurred_at: Date }>(statements.bodiesOf, [users, after.at, after.id])
    for (const { body } of rows) if (body) addFromBody(builder, body)
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) break
    after = { at: last.occurred_at.toISOString(), id: last.id }
  }
  return builder.build()
}

function addFromBody(builder: SubjectBuilder, body: Buffer): void {
  const { event } = readContent(body)
  const found = event && findEvent(event.type)
  if (!event || !found) return
  for (const { resource, data } of resourcesIn(found.resource, event.data as Payload)) {
    if (resource.table === 'users') builder.addUser(data)
  }
}
