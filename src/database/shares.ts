/** Who gets how many of a process's connections. `docs/connections.md` shows the result as a table. */

import { ClerkSyncError } from '../errors.ts'
import type { LaneRule } from './lanes.ts'

/** What a connection is used for, beside handlers' transactions, notifications and the replica. */
export type LaneName = 'deliveries' | 'bookkeeping' | 'repairs' | 'queries'

export interface Shares {
  /** Handlers' own transactions; their SQL is not ours, so that they share no connection with the rest. */
  readonly handlers: number
  /** Whether one connection can be spared to hear notifications; workers poll without it. */
  readonly listens: boolean
  /** Reads of people, from a replica. */
  readonly replica: number
  /** Everything else, divided into lanes. */
  readonly shared: number
  readonly lanes: Readonly<Record<LaneName, LaneRule>>
  /** How many transactions of deliveries run at the same time. */
  readonly deliveryTransactions: number
}

/** Shares of the connections left after the replica and the listener. */
const HANDLER_SHARE = 0.4
const REPLICA_SHARE = 0.2
/** Below this, a connection that only listens is missed more than what it hears. */
const WORTH_LISTENING = 4
/** For each: handlers, a replica, everything else. */
const LEAST_WITH_REPLICA = 3
/**
 * While Postgres works on one transaction of deliveries, the next is written; more of them would be smaller, and none faster.
 */
const DELIVERY_TRANSACTIONS = 3
/** Others may replace those that are still being given up. */
const DELIVERY_LIMIT = DELIVERY_TRANSACTIONS + 2
/** One writes while another reads what comes next. */
const REPAIR_LIMIT = 2
/** One claims while another reads what the claimed runs need, and a third writes down what ended. */
const BOOKKEEPING_LIMIT = 3
/** In this order connections are kept for a lane, as far as they go. One stays free for any. */
const RESERVED: readonly LaneName[] = [
  'deliveries',
  'bookkeeping',
  'queries',
  'repairs',
  'deliveries',
  'bookkeeping',
  'deliveries',
]

/** @throws {ClerkSyncError} `option_invalid` if there are too few for a replica */
export function divideConnections(total: number, hasReplica: boolean): Shares {
  if (hasReplica && total < LEAST_WITH_REPLICA) throw tooFewForReplica(total)
  const replica = hasReplica ? Math.max(1, Math.floor(total * REPLICA_SHARE)) : 0
  const listens = total - replica >= WORTH_LISTENING
  const rest = total - replica - (listens ? 1 : 0)
  const handlers = rest === 1 ? 0 : Math.max(1, Math.round(rest * HANDLER_SHARE))
  const shared = rest - handlers
  const kept = RESERVED.slice(0, shared - 1)
  const rule = (lane: LaneName, limit: number): LaneRule => ({
    limit: Math.min(limit, shared),
    reserved: kept.filter((each) => each === lane).length,
  })
  return {
    handlers,
    listens,
    replica,
    shared,
    lanes: {
      deliveries: rule('deliveries', DELIVERY_LIMIT),
      bookkeeping: rule('bookkeeping', BOOKKEEPING_LIMIT),
      repairs: rule('repairs', REPAIR_LIMIT),
      queries: rule('queries', shared),
    },
    deliveryTransactions: Math.min(DELIVERY_TRANSACTIONS, Math.ceil(shared / 2)),
  }
}

function tooFewForReplica(total: number): ClerkSyncError {
  return new ClerkSyncError(
    'option_invalid',
    `maxConnections is ${total}; with replicaUrl it must be at least ${LEAST_WITH_REPLICA}`,
  )
}
