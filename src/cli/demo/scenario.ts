/**
 * What the demo does: a simulated Clerk lives, a simulated Svix delivers over HTTP to a real server, things go wrong, and
 * at the end every row is compared with Clerk.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { BackfillResult, ClerkSync, ReconcileResult } from '../../index.ts'
import type { ClerkSyncServer } from '../../server/server.ts'
import {
  asBackendApi,
  compareTables,
  createSimulatedSvix,
  type DeliveryTotals,
  type SimulatedAction,
  type SimulatedClerk,
  type SimulatedSvix,
  type SimulatedSvixOptions,
  type TableComparison,
} from '../../testing/index.ts'

/** How long things take; a few seconds in all, so that somebody watches to the end. */
const HISTORY_ACTIONS = 120
const BACKLOG_ACTIONS = 250
const LIVE_ACTIONS = 250
const OUTAGE_ACTIONS = 40
const OUTAGE_MS = 3_000
/** Svix's next try after a refusal comes in 5 s, 5 min, 30 min …; here in 2 ms, 120 ms, 0.7 s … */
const TIME_SCALE = 0.0004

/** What the Backend API lists as a whole, and so a backfill can bring. */
const HISTORY: readonly SimulatedAction[] = [
  ...['createUser', 'updateUser', 'createOrganization', 'addMember', 'changeMember'],
  ...['inviteToOrganization', 'addDomain', 'createRole', 'createPermission', 'joinWaitlist'],
] as SimulatedAction[]

interface Scene {
  readonly clerk: SimulatedClerk
  readonly sync: ClerkSync
  readonly server: ClerkSyncServer
  readonly url: string
  readonly secret: string
  readonly seed: number
  readonly signal: AbortSignal
  /** Told how far the deliveries of a step are. */
  readonly onProgress: (delivered: number, messages: number) => void
}

/** What events show otherwise than the Backend API: who accepted, the user of a session, another order of fields. */
const UNLIKE_EVENTS: Readonly<Record<string, readonly string[]>> = {
  organizations: ['raw'],
  organization_invitations: ['user_id', 'raw'],
  // Only the Backend API shows tasks.
  sessions: ['raw', 'tasks'],
  // A payment of a statement names amounts, payer and method in other shapes than an event does.
  payment_attempts: ['raw', 'totals', 'payer', 'payment_source', 'subscription_item_id'],
}

export interface OutageResult extends DeliveryTotals {
  readonly lastedMs: number
  /** Attempts that were answered 503. */
  readonly refused: number
}

export class Scenario {
  readonly clerk: SimulatedClerk
  readonly #scene: Scene
  #seed: number

  constructor(scene: Scene) {
    this.#scene = scene
    this.#seed = scene.seed
    this.clerk = scene.clerk
  }

  /** What happened before there were webhooks is read from the Backend API. */
  backfill(): Promise<BackfillResult> {
    for (let done = 0; done < HISTORY_ACTIONS; done++) this.clerk.act(HISTORY[done % HISTORY.length])
    return this.#scene.sync.backfill({ signal: this.#scene.signal })
  }

  /** What happened before anybody looked: everything arrives, in order, as fast as it can. */
  backlog(): Promise<DeliveryTotals> {
    return this.#deliver(BACKLOG_ACTIONS, { concurrency: 32 })
  }

  /** As it is in life, only worse: repeated, out of order, and now and then forged. */
  live(): Promise<DeliveryTotals> {
    return this.#deliver(LIVE_ACTIONS, { duplicates: 0.08, reorder: 0.15, forgeries: 0.03 })
  }

  /** The database answers nobody, while events arrive. */
  async outage(): Promise<OutageResult> {
    const { server } = this.#scene
    const refusedBefore = server.answers.get(503) ?? 0
    const outage = await this.#lockDatabase()
    const totals = await this.#deliver(OUTAGE_ACTIONS, { concurrency: 100 })
    const lastedMs = await outage.ended
    return { ...totals, lastedMs, refused: (server.answers.get(503) ?? 0) - refusedBefore }
  }

  /** Everything that Clerk lists against the tables. Clerk's API counts seconds, so that some must have passed. */
  reconcile(): Promise<ReconcileResult> {
    this.clerk.advanceTo(this.clerk.now + 5_000)
    return this.#scene.sync.reconcile({ signal: this.#scene.signal, full: true })
  }

  /** Every row of every table against the simulated Clerk, as its Backend API shows it now. */
  verify(): Promise<TableComparison[]> {
    const isCompared = (table: string, column: string) => !UNLIKE_EVENTS[table]?.includes(column)
    return compareTables(this.#scene.sync.database, asBackendApi(this.clerk), { isCompared })
  }

  async #deliver(actions: number, habits: Partial<SimulatedSvixOptions>): Promise<DeliveryTotals> {
    const { url, secret, signal } = this.#scene
    const seed = this.#seed++
    await using svix = createSimulatedSvix({ url, secret, seed, timeScale: TIME_SCALE, ...habits })
    for (let action = 0; action < actions; action++) svix.send(this.clerk.act())
    await this.#watch(svix, signal)
    return svix.report().totals
  }

  async #watch(svix: SimulatedSvix, signal: AbortSignal): Promise<void> {
    const settled = svix.settled()
    const aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    const ticker = setInterval(() => this.#tick(svix), 80)
    try {
      await Promise.race([settled, aborted])
      this.#tick(svix)
    } finally {
      clearInterval(ticker)
    }
  }

  #tick(svix: SimulatedSvix): void {
    const { accepted, messages } = svix.report().totals
    this.#scene.onProgress(accepted, messages)
  }

  /** Holds the ledger's table, so that no delivery can commit; resolves once that is so. */
  async #lockDatabase(): Promise<{ ended: Promise<number> }> {
    const { sync, signal } = this.#scene
    const locked = Promise.withResolvers<void>()
    const ended = sync.database.transaction().execute(async (trx) => {
      const startedAt = performance.now()
      await sql`lock table ${sql.id(sync.location.schema, 'events')} in exclusive mode`.execute(trx)
      locked.resolve()
      await sleep(OUTAGE_MS, undefined, { signal }).catch(() => undefined)
      return performance.now() - startedAt
    })
    await Promise.race([locked.promise, ended])
    return { ended }
  }
}
