/** For the request after a change: waits until the tables show it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { CATALOGUE, type ResourceName } from '../clerk/catalogue.ts'
import { toDate } from '../clerk/event.ts'
import type { Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import type { ClerkTables, MirroredRow } from '../database/tables.ts'
import { findTombstones } from '../database/tombstones.ts'
import { ClerkSyncError } from '../errors.ts'
import { requireId, requireNumber } from '../validate.ts'
import type { Row } from './ensure.ts'

export interface WaitOptions {
  /**
   * The row must be as new as this: the `updatedAt` that Clerk's SDK returned from the change.
   * @default any state will do
   */
  readonly updatedAt?: number | Date | undefined
  /**
   * Wait for its deletion instead.
   * @default false
   */
  readonly deleted?: boolean | undefined
  /**
   * How many milliseconds to wait.
   * @default 5000
   */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 400

/** @throws {ClerkSyncError} `wait_timed_out`, `database_…` */
export async function waitFor<Name extends ResourceName>(
  database: Kysely<ClerkTables>,
  table: Name,
  id: string,
  { updatedAt, deleted = false, timeoutMs = 5_000, signal }: WaitOptions,
): Promise<Row<Name>> {
  requireId('id', id)
  requireNumber('timeoutMs', timeoutMs, 'duration')
  const since = updatedAt instanceof Date ? updatedAt : toDate(updatedAt)
  const deadline = performance.now() + timeoutMs
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted()
    const row = await findRow(database, table, id)
    if (row && shows(row, since, deleted)) return row
    const gone = row || !deleted ? undefined : await findGone(database, table, id)
    if (gone) return gone
    const left = deadline - performance.now()
    if (left <= 0) throw new ClerkSyncError('wait_timed_out', `${table} ${id}, ${timeoutMs} ms`)
    await sleep(Math.min(pause, left), undefined, { signal })
  }
}

/** What a hard deletion left: the id and the time. */
async function findGone<Name extends ResourceName>(
  database: Kysely<ClerkTables>,
  table: Name,
  id: string,
): Promise<Row<Name> | undefined> {
  const [tombstone] = await available(findTombstones(database, table, [id]))
  if (tombstone === undefined) return undefined
  const { resource: _, ...left } = tombstone
  const columns = Object.keys((CATALOGUE[table] as Resource).columns)
  const empty = Object.fromEntries([...STATE_COLUMNS, ...columns].map((name) => [name, null]))
  return { ...empty, ...left, synced_at: left.deleted_at } as unknown as Row<Name>
}

const STATE_COLUMNS = ['raw', 'clerk_created_at', 'clerk_updated_at', 'observed_at', 'erased_at']

async function findRow<Name extends ResourceName>(
  database: Kysely<ClerkTables>,
  table: Name,
  id: string,
): Promise<Row<Name> | undefined> {
  const query = database
    .selectFrom(table as 'users')
    .selectAll()
    .where('id', '=', id)
  return (await available(query.executeTakeFirst())) as Row<Name> | undefined
}

function shows(
  { clerk_updated_at, deleted_at }: Pick<MirroredRow, 'clerk_updated_at' | 'deleted_at'>,
  since: Date | null,
  deleted: boolean,
): boolean {
  if (deleted) return deleted_at !== null
  return deleted_at === null && (since === null || (clerk_updated_at !== null && clerk_updated_at >= since))
}
