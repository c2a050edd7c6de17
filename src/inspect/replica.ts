/** How far a replica is behind. */

import type { Kysely } from 'kysely'
import { available } from '../database/failure.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

export interface ReplicaState {
  /** Whether the address leads to a replica at all. */
  readonly isReplica: boolean
  /** Null where it does not tell. */
  readonly behindMs: number | null
}

/** What has replayed all that it received is not behind, however long ago the last change was. */
const TEXT = `
  select pg_is_in_recovery() as "isReplica",
    case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
      else round(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::integer
    end as "behindMs"`

/** @throws {ClerkSyncError} `database_…` */
export async function readReplica(replica: Kysely<ClerkTables>): Promise<ReplicaState> {
  const [state] = await available(query<ReplicaState>(replica, TEXT))
  return state as ReplicaState
}

/** For people. */
export function describeReplica({ isReplica, behindMs }: ReplicaState): string {
  if (!isReplica) return 'replicaUrl leads to a primary'
  if (behindMs === null) return 'unknown how far behind'
  return behindMs < 1_000 ? `${behindMs} ms behind` : `${Math.round(behindMs / 1_000)} s behind`
}
