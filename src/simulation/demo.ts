/**
 * What the demo does: a simulated Clerk lives, a simulated Svix delivers over HTTP to a real server, things go wrong, and
 * at the end every row is compared with Clerk.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { CATALOGUE, CHILD_SETS } from '../clerk/catalogue.ts'
import { available } from '../database/failure.ts'
import {
  type BackfillResult,
  type ClerkSync,
  createClerkSync,
  type DeliveryFact,
  type Logger,
  type Receipt,
  type ReconcileResult,
} from '../index.ts'
import { type ClerkSyncServer, startServer } from '../server/server.ts'
import {
  asBackendApi,
  type BackendApi,
  compareTables,
  createSigningSecret,
  createSimulatedClerk,
  createSimulatedSvix,
  type DeliveryTotals,
  type SimulatedAction,
  type SimulatedClerk,
  type SimulatedSvix,
  type SimulatedSvixOptions,
  startBackendApi,
  type TableComparison,
} from '../testing/index.ts'

/** Its own, so that the demo can be run on any database without touching what is there. */
export const DEMO_SCHEMA = 'clerk_sync_demo'
const PATH = '/webhooks/clerk'

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

interface DemoOptions {
  /** `postgres://…` or a folder. */
  readonly database: string
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

export class Demo {
  /** How many deliveries had each outcome. */
  readonly outcomes = new Map<Receipt['outcome'], number>()
  readonly tables: number = Object.keys({ ...CATALOGUE, ...CHILD_SETS }).length + 1
  readonly clerk: SimulatedClerk
  readonly #api: BackendApi
  readonly #sync: ClerkSync
  readonly #secret = createSigningSecret()
  readonly #signal: AbortSignal
  readonly #onProgress: DemoOptions['onProgress']
  #server: ClerkSyncServer | undefined
  #seed: number

  static async open(options: DemoOptions): Promise<Demo> {
    const clerk = createSimulatedClerk({ seed: options.seed })
    return new Demo(options, clerk, await startBackendApi(clerk, { rateLimit: null }))
  }

  private constructor({ database, seed, ...given }: DemoOptions, clerk: SimulatedClerk, api: BackendApi) {
    this.clerk = clerk
    this.#api = api
    this.#seed = seed
    this.#signal = given.signal
    this.#onProgress = given.onProgress
    this.#sync = createClerkSync({
      database,
      schema: DEMO_SCHEMA,
      signingSecret: this.#secret,
      instanceId: [],
      secretKey: api.secretKey,
      apiUrl: api.url,
      apiRateLimit: Number.POSITIVE_INFINITY,
      log: counting(this.outcomes),
    })
  }

  get databaseKind(): 'embedded' | 'postgres' {
    return this.#sync.location.kind
  }

  /** Creates the tables, listens, and resolves to the address of the webhook route. */
  async start(): Promise<string> {
    await this.#dropSchema()
    await this.#sync.migrate()
    this.#server = await startServer({ sync: this.#sync, port: 0, webhookPaths: [PATH] })
    return this.#url
  }

  /** What happened before there were webhooks is read from the Backend API. */
  backfill(): Promise<BackfillResult> {
    for (let done = 0; done < HISTORY_ACTIONS; done++) this.clerk.act(HISTORY[done % HISTORY.length])
    return this.#sync.backfill({ signal: this.#signal })
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
    const refusedBefore = this.#refused
    const outage = await this.#lockDatabase()
    const totals = await this.#deliver(OUTAGE_ACTIONS, { concurrency: 100 })
    const lastedMs = await outage.ended
    return { ...totals, lastedMs, refused: this.#refused - refusedBefore }
  }

  /** Everything that Clerk lists against the tables. Clerk's API counts seconds, so that some must have passed. */
  reconcile(): Promise<ReconcileResult> {
    this.clerk.advanceTo(this.clerk.now + 5_000)
    return this.#sync.reconcile({ signal: this.#signal, full: true })
  }

  /** Every row of every table against the simulated Clerk, as its Backend API shows it now. */
  verify(): Promise<TableComparison[]> {
    const isCompared = (table: string, column: string) => !UNLIKE_EVENTS[table]?.includes(column)
    return compareTables(this.#sync.database, asBackendApi(this.clerk), { isCompared })
  }

  async #deliver(actions: number, habits: Partial<SimulatedSvixOptions>): Promise<DeliveryTotals> {
    const [url, secret, seed] = [this.#url, this.#secret, this.#seed++]
    await using svix = createSimulatedSvix({ url, secret, seed, timeScale: TIME_SCALE, ...habits })
    for (let action = 0; action < actions; action++) svix.send(this.clerk.act())
    await this.#watch(svix)
    return svix.report().totals
  }

  async #watch(svix: SimulatedSvix): Promise<void> {
    const signal = this.#signal
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
    this.#onProgress(accepted, messages)
  }

  /** Holds the ledger's table, so that no delivery can commit; resolves once that is so. */
  async #lockDatabase(): Promise<{ ended: Promise<number> }> {
    const [sync, signal] = [this.#sync, this.#signal]
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

  get #url(): string {
    return `http://127.0.0.1:${this.#server?.port}${PATH}`
  }

  /** How many attempts were answered 503. */
  get #refused(): number {
    return this.#server?.answers.get(503) ?? 0
  }

  async #dropSchema(): Promise<void> {
    await available(sql`drop schema if exists ${sql.id(DEMO_SCHEMA)} cascade`.execute(this.#sync.database))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server) await this.#dropSchema().catch(() => undefined)
    await this.#server?.stop()
    await this.#api.close()
  }
}

/** What is refused here is refused on purpose: the servers' answers are counted, and nothing is printed. */
function counting(outcomes: Map<Receipt['outcome'], number>): Logger {
  const ignore = () => undefined
  const info = (fields: object, message: string) => {
    if (message !== 'delivery') return
    const { outcome } = fields as DeliveryFact
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return { debug: ignore, info, warn: ignore, error: ignore }
}
