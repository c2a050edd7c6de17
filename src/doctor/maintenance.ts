/** What keeps the database usable for years: that maintenance runs, and that a replica is one. */

import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkSync } from '../index.ts'
import { describeReplica, readReplica } from '../inspect/replica.ts'
import { type Check, failed, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

/** The server maintains every hour, a cron job once a day or so. */
const OVERDUE_DAYS = 2
/** A replica that is busy may be seconds behind. */
const BEHIND_MS = 60_000

export function maintenanceChecks(examined: ExaminedDatabase): Check[] {
  const check = examined.checksIn('database')
  return [check('maintenance', checkMaintenance), check('replica', checkReplica)]
}

interface MaintenanceRow {
  readonly ended_at: Date | null
  /** Whether anything is old enough to wait for it. */
  readonly is_overdue: boolean
}

async function checkMaintenance({ database, location: { schema } }: ClerkSync): Promise<Result[]> {
  const recent = `now() - interval '${OVERDUE_DAYS} days'`
  const [row] = await query<MaintenanceRow>(
    database,
    `select ended_at, coalesce(ended_at < ${recent}, (select min(received_at) < ${recent} from ${qualify(schema, 'events')}), false)
       as is_overdue
     from (select max(ended_at) as ended_at from ${qualify(schema, 'maintenance')}) as last`,
  )
  const { ended_at: endedAt = null, is_overdue: isOverdue = false } = row ?? {}
  if (isOverdue)
    return [found('maintenance_overdue', endedAt ? `last done ${endedAt.toISOString()}` : 'never done')]
  return endedAt ? [passed(`Maintenance was last done at ${endedAt.toISOString()}.`)] : []
}

async function checkReplica({ database, reads }: ClerkSync): Promise<Result[]> {
  if (reads === database) return []
  try {
    const state = await readReplica(reads)
    if (!state.isReplica) return [found('replica_is_primary')]
    const isBehind = state.behindMs !== null && state.behindMs > BEHIND_MS
    return [
      isBehind
        ? found('replica_behind', describeReplica(state))
        : passed(`The replica answers, ${describeReplica(state)}.`),
    ]
  } catch (error) {
    const { message } = failed(error)
    return [found('replica_unreachable', message)]
  }
}
