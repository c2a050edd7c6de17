/** Rows to verify with Clerk: an event older than the last sweep inserted them. The ledger adds them. */

import type { Kysely } from 'kysely'
import type { Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { isOfInstance } from './instance.ts'
import type { Wanted } from './lookup.ts'

/** How long a claim on a row lasts; then any process may claim it again. */
export const CLAIM_SECONDS = 60
/** As many users as five requests can ask for. */
const BATCH_SIZE = 500
/** Clerk's API may lag a little behind its events: a 404 right after a creation proves nothing. */
const CONSISTENT_AFTER_SECONDS = 10

export class PendingVerifications {
  readonly #database: Kysely<ClerkTables>
  readonly #schema: string

  constructor(database: Kysely<ClerkTables>, schema: string) {
    this.#database = database
    this.#schema = schema
  }

  /** The tables that have some. */
  async tables(): Promise<string[]> {
    const rows = await this.#run<{ resource: string }>(
      `select distinct resource from ${this.#table} where ${CLAIMABLE}`,
    )
    return rows.map(({ resource }) => resource)
  }

  /** Whether any rows are left: not claimable yet, or of another Clerk instance. */
  async areLeft(): Promise<boolean> {
    return (await this.#run(`select from ${this.#table} limit 1`)).length > 0
  }

  /** Claims a batch of rows of this Clerk instance; it cannot look up those of another. */
  async claim({ table }: Resource, instanceId: string | null): Promise<string[]> {
    const text = `
      with claimable as (
        select pending.id from ${this.#table} as pending
        left join ${qualify(this.#schema, table)} as row on row.id = pending.id
        where pending.resource = $1 and ${CLAIMABLE}
          and ${isOfInstance('$2')}
          and (row.observed_at is null or row.observed_at < now() - interval '${CONSISTENT_AFTER_SECONDS} seconds')
        order by pending.id limit ${BATCH_SIZE} for update of pending skip locked
      )
      update ${this.#table} as pending set asked_at = now() from claimable
      where pending.resource = $1 and pending.id = claimable.id returning pending.id`
    return (await this.#run<{ id: string }>(text, [table, instanceId])).map(({ id }) => id)
  }

  /** The rows that a sweep begun at `startedAt` verifies anyway, by its list or by id. */
  async coveredBy({ table }: Resource, startedAt: Date, instanceId: string | null): Promise<string[]> {
    const text = `
      select pending.id from ${this.#table} as pending
      left join ${qualify(this.#schema, table)} as row on row.id = pending.id
      where pending.resource = $1 and (row.observed_at is null or row.observed_at < $2::timestamptz)
        and ${isOfInstance('$3')}`
    return (await this.#run<{ id: string }>(text, [table, startedAt, instanceId])).map(({ id }) => id)
  }

  /** Those that are still alive. */
  read({ table }: Resource, ids: readonly string[]): Promise<Wanted[]> {
    const text = `select * from ${qualify(this.#schema, table)} where id = any($1::text[]) and deleted_at is null`
    return this.#run<Wanted>(text, [ids])
  }

  async remove({ table }: Resource, ids: readonly string[]): Promise<void> {
    await this.#run(`delete from ${this.#table} where resource = $1 and id = any($2::text[])`, [table, ids])
  }

  #run<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return available(query<Row>(this.#database, text, parameters))
  }

  get #table(): string {
    return qualify(this.#schema, 'pending_verifications')
  }
}

const CLAIMABLE = `(asked_at is null or asked_at < now() - interval '${CLAIM_SECONDS} seconds')`
