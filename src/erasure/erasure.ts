/**
 * Erases a person: everything that the schema holds of them, but ids and times.
 *
 * Their row is marked first, so that nothing new comes in while the rest is looked for: the guard refuses whatever shows more
 * of an erased user than an id. The row's data goes last, because until then it says what else is theirs. Everything in
 * between is done in batches beside the deliveries, each of which may be done again, as a job that goes on after a crash.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { RESOURCES } from '../clerk/catalogue.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import type { Job } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import { withoutFieldsOfEvent } from '../ingest/entry.ts'
import { bucketOf } from '../ingest/family-locks.ts'
import type { Statements } from '../ingest/statements.ts'
import { add, type Counts, type ErasureCounts } from './counts.ts'
import type { Link } from './links.ts'
import { rewriteRows } from './rewrite.ts'
import { type BodyRow, collect, FIRST, type Position, rowsOf } from './search.ts'
import { BATCH, type ErasureStatements } from './statements.ts'
import { type Subject, shareOfBody } from './subject.ts'

/** Where an interrupted erasure goes on. Of the person it holds what the rows may not say any more; it goes with the job's end. */
export interface Checkpoint {
  readonly subject: Subject
  readonly hasScannedEvents: boolean
  readonly after: Position
}

/** Leaves the database to the deliveries for as long as a batch takes. */
const PAUSE_MS = 10
export interface Parts {
  readonly database: Database
  readonly statements: ErasureStatements
  readonly ingest: Statements
  readonly links: readonly Link[]
}

/** How it is watched and stopped. */
export interface Watched {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((counts: ErasureCounts) => void) | undefined
}

/** One erasure, under way. */
export class Erasure {
  readonly #parts: Parts
  readonly #job: Job
  readonly #counts: Counts
  readonly #options: Watched
  #checkpoint: Checkpoint | null = null

  constructor(parts: Parts, job: Job, counts: Counts, options: Watched) {
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
      hasScannedEvents: false,
      after: FIRST,
    }
    await this.#save()
    const { subject } = this.#checkpoint
    for (const link of links) await this.#eraseRows(link, subject)
    await this.#emptyEventsOf(subject.users)
    if (!this.#checkpoint.hasScannedEvents) await this.#scanEvents(subject)
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
  async #scanEvents(subject: Subject): Promise<void> {
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
      const hasScannedEvents = !last || rows.length < BATCH
      const position = last ? { at: last.received_at.toISOString(), id: last.id } : after
      this.#checkpoint = { subject, hasScannedEvents, after: position }
      await this.#save()
      if (hasScannedEvents) return
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

interface RunTextsRow {
  seen: number
  changed: number
  event_id: string | null
  handler: string | null
}
