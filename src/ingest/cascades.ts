/**
 * Goes on with deletions that have more dependants than one transaction should change: an organization of a million
 * memberships. Its tombstone is committed with the event, and whatever arrives for it later is deleted by that; this marks
 * the rows that are there, in batches beside the deliveries, as a job that any process takes over where a lost one stopped.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { RESOURCES } from '../clerk/catalogue.ts'
import type { DeletionPolicies } from '../clerk/deletion.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { messageOf } from '../database/failure.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { type Job, JobStore } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { deleteGone, isEarlier } from './after-deletion.ts'

/** Some 30 ms of work: deliveries of the same rows wait no longer. */
const BATCH_SIZE = 1_000
/** Leaves the database to the deliveries for as long as a batch takes. */
const PAUSE_MS = 20
const RETRY_MS = 15_000

interface Pending {
  readonly resource: string
  readonly parent_column: string
  readonly parent_id: string
}

interface CascadeOptions {
  readonly log: Logger
  readonly deletion: DeletionPolicies
}

export class Cascades {
  readonly #database: Database
  readonly #log: Logger
  readonly #deletion: DeletionPolicies
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #isAsked = false
  #retry: NodeJS.Timeout | undefined

  constructor(database: Database, { log, deletion }: CascadeOptions) {
    this.#database = database
    this.#log = log
    this.#deletion = deletion
  }

  /** Goes on until nothing is left. Never rejects: what failed is tried again in a while, by any process. */
  run(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#isAsked = true
    this.#running ??= this.#untilNothingIsLeft().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Leaves what is under way to the next process that looks. */
  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#retry)
    await this.#running
  }

  async #untilNothingIsLeft(): Promise<void> {
    try {
      while (this.#isAsked && !this.#closing.signal.aborted) {
        this.#isAsked = false
        if ((await this.#pending()).length > 0) await this.#runJob()
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.#retry = setTimeout(() => void this.run(), RETRY_MS).unref()
      // Another process runs the job; this one checks again in case that one dies.
      if (error instanceof ClerkSyncError && error.code === 'job_running') return
      this.#log.warn({ cause: messageOf(error) }, 'cannot continue a large deletion; retrying')
    }
  }

  async #runJob(): Promise<void> {
    const { bookkeeping, schema, telemetry } = this.#database
    const { signal } = this.#closing
    const jobs = new JobStore(bookkeeping, schema, telemetry)
    const job = await jobs.begin({ kind: 'cascade', scope: {}, signal })
    const progress = { deleted: 0, ...(job.resumed?.progress as object | undefined) }
    try {
      for (let pending = await this.#pending(); pending.length > 0; pending = await this.#pending()) {
        for (const each of pending) await this.#cascade(each, job, progress)
      }
      await job.end('complete', stateOf(progress))
    } catch (error) {
      await job.end(signal.aborted ? 'aborted' : 'failed', stateOf(progress), error).catch(() => undefined)
      throw error
    }
  }

  async #cascade(pending: Pending, job: Job, progress: { deleted: number }): Promise<void> {
    const key = [pending.parent_id, pending.resource, pending.parent_column]
    const text = batchStatement(pending, this.#database.schema, this.#deletion)
    for (;;) {
      this.#closing.signal.throwIfAborted()
      job.lost.throwIfAborted()
      const [batch] = await query<{ rows: number; changed: number }>(this.#database.bookkeeping, text, key)
      progress.deleted += batch?.changed ?? 0
      await job.save(stateOf(progress))
      if (!batch?.rows) return
      await sleep(PAUSE_MS)
    }
  }

  #pending(): Promise<Pending[]> {
    const { bookkeeping, schema } = this.#database
    return query<Pending>(
      bookkeeping,
      `select resource, parent_column, parent_id from ${qualify(schema, 'pending_cascades')} limit 100`,
    )
  }
}

function stateOf(progress: object) {
  return { checkpoint: null, progress, report: null }
}

/**
 * The next rows in the order of their ids, and how far that is, in one statement; after the last ones the cascade is no
 * longer pending. Stops by itself once the parent's deletion was refuted. $1 the parent, $2 and $3 the table and column.
 *
 * Where to continue is a subquery, not a join: only then does the index scan begin there, and not at the first row again.
 */
function batchStatement(
  { resource, parent_column }: Pending,
  schema: string,
  deletion: DeletionPolicies,
): string {
  const child = RESOURCES.get(resource) as Resource
  const parentTable = child.parents?.[parent_column] as string
  const table = qualify(schema, resource)
  const pending = qualify(schema, 'pending_cascades')
  const column = quoteIdentifier(parent_column)
  const isThis = 'parent_id = $1 and resource = $2 and parent_column = $3'
  return `
    with parent as (
      select deleted_at, event_id from ${qualify(schema, parentTable)} where id = $1 and deleted_at is not null
      union all
      select deleted_at, event_id from ${qualify(schema, 'tombstones')} where resource = '${parentTable}' and id = $1
      limit 1
    ), batch as (
      select child.id, child.deleted_at, child.event_id, child.instance_id from ${table} as child
      where child.${column} = $1 and child.id > (select after_id from ${pending} where ${isThis})
        and exists (select from parent)
      order by child.id limit ${BATCH_SIZE} for update of child
    ), gone as (
      select batch.id, parent.deleted_at, parent.event_id, batch.instance_id from batch, parent
      where batch.deleted_at is null or ${isEarlier('parent', 'batch')}
    ), ${deleteGone({ resource: child, schema, policy: deletion.get(resource) })}, moved as (
      update ${pending} set after_id = (select max(id) from batch)
      where ${isThis} and exists (select from batch)
    ), done as (
      delete from ${pending} where ${isThis} and not exists (select from batch)
    )
    select (select count(*) from batch)::integer as rows, (select count(*) from changed)::integer as changed`
}
