/**
 * The ids that a sweep has seen. After its last page, rows with other ids are missing from Clerk's list. Stored, so
 * that they survive the process.
 */

import type { Kysely } from 'kysely'
import type { Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { RESUMABLE_HOURS } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { isOfInstance } from './instance.ts'

/** A row missing from Clerk's list. */
export interface Unseen {
  readonly id: string
  /** The columns that the lookup by id needs. */
  readonly [column: string]: unknown
}

export class SeenIds {
  readonly #database: Kysely<ClerkTables>
  readonly #schema: string
  readonly #jobId: string
  readonly #resource: Resource

  constructor(database: Kysely<ClerkTables>, schema: string, jobId: string, resource: Resource) {
    this.#database = database
    this.#schema = schema
    this.#jobId = jobId
    this.#resource = resource
  }

  /** @returns how many were new */
  async add(ids: readonly string[]): Promise<number> {
    const text = `insert into ${this.#seenIds} select $1, $2, unnest($3::text[]) on conflict do nothing returning id`
    return (await this.#run(text, [ids])).length
  }

  async count(): Promise<number> {
    const rows = await this.#run<{ count: number }>(
      `select count(*)::int as count from ${this.#seenIds} where job_id = $1 and resource = $2`,
    )
    return rows[0]?.count ?? 0
  }

  /** Unseen rows after `after` that existed before the sweep began. */
  async unseen(startedAt: Date, instanceId: string | null, after: string, limit: number): Promise<Unseen[]> {
    const text = `select row.* from ${this.#table} as row where ${UNSEEN(this.#seenIds)} and row.id > $5
      order by row.id limit $6`
    return this.#run<Unseen>(text, [startedAt, instanceId, after, limit])
  }

  async countUnseen(startedAt: Date, instanceId: string | null): Promise<{ unseen: number; live: number }> {
    const text = `select count(*) filter (where ${UNSEEN(this.#seenIds)})::int as unseen, count(*)::int as live
      from ${this.#table} as row where row.deleted_at is null and ${OURS}`
    const [counts] = await this.#run<{ unseen: number; live: number }>(text, [startedAt, instanceId])
    return counts ?? { unseen: 0, live: 0 }
  }

  /** Counts the live rows of this instance. */
  async countLive(instanceId: string | null): Promise<number> {
    const { live } = await this.countUnseen(new Date(0), instanceId)
    return live
  }

  async clear(): Promise<void> {
    await this.#run(`delete from ${this.#seenIds} where job_id = $1 and resource = $2`)
  }

  #run<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return query<Row>(this.#database, text, [this.#jobId, this.#resource.table, ...parameters])
  }

  get #seenIds(): string {
    return qualify(this.#schema, 'sweep_seen_ids')
  }

  get #table(): string {
    return qualify(this.#schema, this.#resource.table)
  }
}

/** Deletes the ids of jobs that can no longer be resumed. */
export async function clearOldSeenIds(database: Kysely<ClerkTables>, schema: string): Promise<void> {
  const text = `
    delete from ${qualify(schema, 'sweep_seen_ids')} where job_id in (
      select id from ${qualify(schema, 'jobs')}
      where status <> 'running' and updated_at < now() - interval '${RESUMABLE_HOURS} hours'
    )`
  await available(query(database, text))
}

const OURS = isOfInstance('$4')

/** $1 job, $2 resource, $3 the sweep's start, $4 instance */
const UNSEEN = (seenIds: string) => `
  row.deleted_at is null and row.observed_at < $3::timestamptz and ${OURS}
  and not exists (
    select from ${seenIds} as seen where seen.job_id = $1 and seen.resource = $2 and seen.id = row.id
  )`
