/** Assembles a sync from its parts. The only file that imports all of them. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { type AlertHook, createAlertHook } from './alerts/alert-hook.ts'
import { type CatchUp, ClerkPull } from './backfill/clerk-pull.ts'
import type { BackfillOptions, ReconcileOptions } from './backfill/sweeps.ts'
import { type ClerkView, createClerkView } from './backfill/view.ts'
import type { WaitOptions } from './backfill/wait.ts'
import type { ResourceName } from './clerk/catalogue.ts'
import { type ClerkSyncOptions, type Config, resolveConfig } from './config.ts'
import { type Database, openDatabase } from './database/database.ts'
import { available } from './database/failure.ts'
import type { EventFilter } from './database/filter.ts'
import { migrate, pendingMigrations } from './database/migrate.ts'
import { makePartitions } from './database/partitions.ts'
import type { ClerkTables } from './database/tables.ts'
import { WriteHealth } from './database/write-health.ts'
import { type EraseOptions, Eraser, type ErasureResult } from './erasure/eraser.ts'
import { ClerkSyncError } from './errors.ts'
import { logFacts } from './fact-log.ts'
import { createControl, type HandlerControl } from './handlers/control.ts'
import { type EventPattern, type Handler, type HandlerOptions, on } from './handlers/handler.ts'
import type { RunKey } from './handlers/run.ts'
import { type DrainOptions, type DrainResult, HandlerRuntime } from './handlers/runtime.ts'
import { Housekeeping } from './housekeeping.ts'
import { Cascades } from './ingest/cascades.ts'
import type { RecordedDelivery } from './ingest/entry.ts'
import { Ingest } from './ingest/ingest.ts'
import { Refusals } from './ingest/refusals.ts'
import { ReleaseNote } from './ingest/releases.ts'
import { type ReplayOptions, type ReplayResult, replay } from './ingest/replay.ts'
import type { Receipt } from './ingest/verdict.ts'
import { read } from './inspect/reading.ts'
import { type ProcessLoad, readVitals, type Vitals } from './inspect/vitals.ts'
import {
  type MaintainOptions,
  type MaintenanceResult,
  maintain,
  measure,
  partDays,
} from './maintenance/maintenance.ts'
import { RefusalLog } from './refusal-log.ts'
import { ACCEPTED, PROBE_TYPE, type Reply, refuse, toClerkSyncError, type WebhookRequest } from './reply.ts'
import { SchemaWatch } from './schema-watch.ts'
import { type Observer, type Span, type SpanStart, Telemetry } from './telemetry.ts'
import { requireNumber, requireNumbers } from './validate.ts'
import { toVerifyOptions } from './verifier.ts'
import type { RawBody } from './webhook/body.ts'
import { ByteBudget, type ByteShare } from './webhook/byte-budget.ts'
import type { RequestHeaders } from './webhook/headers.ts'
import { networkOf } from './webhook/network.ts'
import { isProbe } from './webhook/probe.ts'
import { missingSecret } from './webhook/secret.ts'
import { Turns } from './webhook/turns.ts'
import { REFUSED_BODIES, type VerifyOptions, verify } from './webhook/verify.ts'

/** A Clerk sync: receives deliveries, maintains the tables, replays events. */
export interface ClerkSync extends CatchUp, AsyncDisposable {
  /**
   * Receives one delivery: verifies, records and applies it, and resolves once that is committed. Then answer the
   * request with 200, otherwise with the error's `status`.
   *
   * @param body the exact bytes of the request, or a stream of them; never a parsed body
   * @param headers the request's headers
   * @throws {ClerkSyncError} with a 4xx status for an invalid delivery, 503 if it should be retried
   */
  receive(body: RawBody, headers: RequestHeaders): Promise<Receipt>

  /**
   * Answers a request that holds a delivery: {@link receive} with a reply for every case; never throws. For adapters.
   */
  handle(request: WebhookRequest): Promise<Reply>

  /** Answers a web request with a delivery; never throws. The whole webhook route, for anything that speaks `fetch`. */
  fetch(request: Request): Promise<Response>

  /**
   * Creates or updates the tables and returns the names of the migrations that ran. Safe to call from several processes
   * at once, and while older ones receive deliveries. The embedded database migrates on its own.
   * @throws {ClerkSyncError} `migration_failed`, `database_ahead` or `database_unavailable`
   */
  migrate(): Promise<string[]>

  /**
   * Applies recorded events again: failed ones after a fix, parked ones after an upgrade. Safe for events that were
   * already applied: newer rows are kept.
   *
   * @example
   * await sync.replay({ outcomes: ['failed'], since: new Date('2026-11-01') })
   */
  replay(filter: EventFilter, options?: ReplayOptions): Promise<ReplayResult>

  /**
   * Erases a user's data from rows, events, handler runs, jobs and the audit log. Ids and times stay, and nothing
   * restores the data: no late event, replay, backfill or reconcile. `docs/privacy.md` lists what cannot be erased. An
   * interrupted erasure resumes with the next call or {@link maintain}; the user counts as erased from the start.
   *
   * @example
   * const { rows, events } = await sync.erase('user_2Lh9KRb…')
   *
   * @throws {ClerkSyncError} `erasure_unsupported`, `job_running`, `database_…`; the signal's reason
   */
  erase(userId: string, options?: EraseOptions): Promise<ErasureResult>

  /**
   * Registers a handler: your code, which runs once for every event of a type. Call it before the first event and
   * before {@link work}: earlier events have no runs for it.
   *
   * @example
   * sync.on('user.created', async ({ event, tx }) => {
   *   await tx.query('insert into profiles (user_id) values ($1)', [event.data.id])
   * }, { name: 'profile' })
   *
   * @throws {ClerkSyncError} `handler_…`
   */
  on<Pattern extends EventPattern>(
    patterns: Pattern | readonly Pattern[],
    handle: Handler<Pattern>,
    options?: HandlerOptions,
  ): void

  /** Manages handlers: pause one, retry failed runs, run one for existing data. */
  readonly handlers: HandlerControl

  /**
   * Runs the handlers in this process until it is closed. Any number of processes may do so. Calling it again has no
   * effect, except after a failed start. Without handlers it does nothing.
   * @throws {ClerkSyncError} `database_…`, or `shutting_down` after {@link close}
   */
  work(): Promise<void>

  /**
   * Executes these runs now, if they are due, and resolves when each has ended. Errors and the next attempt are in
   * `handler_runs`. For engines that call the app.
   */
  run(runs: readonly RunKey[]): Promise<void>

  /**
   * Runs the handlers that are due, verifies doubtful rows with Clerk, runs {@link maintain} once an hour, and resolves
   * when nothing is left or the time is up. In serverless apps, call it in a cron route or after a response.
   *
   * @example
   * after(() => sync.drain({ maxSeconds: 20 }))
   */
  drain(options?: DrainOptions): Promise<DrainResult>

  /**
   * Runs maintenance: deletes data past its `retention`, sums up the counts by minute, creates the next partitions for
   * event bodies, and starts the verification of doubtful rows with Clerk. It works in small batches beside the
   * deliveries. `clerk-sync start` calls it every hour, and so does {@link drain} in serverless apps.
   *
   * @returns what was deleted, or would be; null if another process holds the lock
   * @throws {ClerkSyncError} `database_…`
   */
  maintain(options?: MaintainOptions): Promise<MaintenanceResult | null>

  /**
   * Subscribes to the facts of this process: deliveries, refusals, commits, handler attempts, jobs. Metrics, logs and
   * traces derive from them. The observer is called while a delivery is processed, so it must be fast.
   *
   * @example
   * sync.observe((fact) => {
   *   if (fact.kind === 'delivery') statsd.increment(`clerk.${fact.outcome}`)
   * })
   *
   * @returns a function that unsubscribes
   */
  observe(observer: Observer): () => void

  /**
   * The numbers behind metrics and alerts, read from the database.
   * @throws {ClerkSyncError} `database_…`
   */
  vitals(): Promise<Vitals>

  /** The current load of this process: its connections, and deliveries that wait for a commit. */
  readonly load: ProcessLoad

  /** Checks that the database answers, has the tables and accepts writes; throws if not. */
  check(): Promise<void>

  /**
   * Stops accepting deliveries, waits for current ones and for handlers, and closes the database. Handlers that exceed
   * the grace period are aborted and restart elsewhere at once. Later calls throw `shutting_down`. If closing one part
   * fails, the others are still closed, and it rejects with the first error.
   */
  close(options?: CloseOptions): Promise<void>

  /** Reads one resource from Clerk, to show or to apply it. */
  readonly clerk: ClerkView

  /** The configuration that concerns readers of the tables. */
  readonly configuration: {
    /** The synced tables. */
    readonly resources: ReadonlySet<string>
    /** The Clerk instances whose events are applied; empty means any. */
    readonly instanceIds: ReadonlySet<string>
  }

  /** Typed queries on the tables: `sync.database.selectFrom('users')`. */
  readonly database: Kysely<ClerkTables>

  /** For queries that tolerate replication lag: the replica of `replicaUrl`, otherwise {@link database}. */
  readonly reads: Kysely<ClerkTables>

  /** The location of the database for display, without a password. */
  readonly location: {
    readonly kind: 'postgres' | 'embedded'
    readonly name: string
    readonly schema: string
  }
}

export interface CloseOptions {
  /**
   * The grace period of running handlers, in milliseconds.
   * @default 8000
   */
  readonly handlerGraceMs?: number | undefined
}

/**
 * Creates a sync. It connects at first use, but refuses an invalid configuration at once. Without a signing secret it
 * reads, backfills and runs handlers; deliveries are answered with 503.
 *
 * @example
 * const sync = createClerkSync({ signingSecret: 'whsec_…', database: 'postgres://localhost/app' })
 * await sync.migrate()
 * const response = await sync.fetch(request)
 *
 * @throws {ClerkSyncError} `secret_…` or `option_invalid`
 */
export function createClerkSync(options: ClerkSyncOptions = {}): ClerkSync {
  const config = resolveConfig(options, process.env)
  // Code that only reads the tables needs no secret, and often has none in its environment.
  const verification = config.signingSecrets.length > 0 ? toVerifyOptions(config) : undefined
  const telemetry = new Telemetry(config.tracing)
  telemetry.observe(logFacts(config.log, config.logSample))
  const database = openDatabase(config.database, config.schema, config, telemetry)
  return new Sync(config, verification, database)
}

interface ReceivedRequest extends Pick<WebhookRequest, 'headers' | 'remoteAddress'> {
  readonly body: RawBody
}

class Sync implements ClerkSync {
  readonly #config: Config
  readonly #verification: VerifyOptions | undefined
  readonly #database: Database
  readonly #telemetry: Telemetry
  readonly #handlers: HandlerRuntime
  readonly #ingest: Ingest
  readonly #cascades: Cascades
  readonly #clerkPull: ClerkPull
  readonly #alerts: AlertHook | undefined
  readonly #eraser: Eraser
  readonly #housekeeping: Housekeeping
  readonly #refusalLog: RefusalLog
  readonly #refusals: Refusals
  readonly #releaseNote: ReleaseNote
  readonly #budget: ByteBudget
  readonly #writeHealth = new WriteHealth()
  readonly #watch: SchemaWatch
  #prepared: Promise<unknown> | undefined
  #closing: Promise<void> | undefined

  constructor(config: Config, verification: VerifyOptions | undefined, database: Database) {
    this.#config = config
    this.#verification = verification && { ...verification, turns: new Turns() }
    this.#database = database
    this.#telemetry = database.telemetry
    this.#alerts = createAlertHook(database, config, () => this.vitals())
    this.#refusalLog = new RefusalLog(config.log)
    this.#releaseNote = new ReleaseNote(database, config.release)
    this.#refusals = new Refusals(database, config.now, () => this.#isReady)
    this.#budget = new ByteBudget(config)
    this.#watch = new SchemaWatch(
      () => pendingMigrations(database.bookkeeping, database.schema),
      (error) => this.#standDown(error),
    )
    this.#handlers = new HandlerRuntime(database, config.engine, config.log)
    for (const handler of config.handlers) this.#handlers.add(handler)
    const limits = { maxItems: MAX_BATCH_ITEMS, deadlineMs: config.commitTimeoutMs }
    this.#cascades = new Cascades(database, config)
    this.#ingest = new Ingest(database, config, this.#handlers, limits, {
      verify: () => void this.#clerkPull.verifyPending(),
      cascade: () => void this.#cascades.run(),
    })
    this.#eraser = new Eraser(database)
    this.#housekeeping = new Housekeeping(database, this.#eraser, config)
    this.#clerkPull = new ClerkPull(database, this.#ingest, config, () => this.#prepare())
  }

  get database(): Kysely<ClerkTables> {
    return this.#database.queries
  }

  get reads(): Kysely<ClerkTables> {
    return this.#database.reads
  }

  get location() {
    const { kind, location, schema } = this.#database
    return { kind, name: location, schema }
  }

  receive(body: RawBody, headers: RequestHeaders): Promise<Receipt> {
    return this.#receive({ body, headers })
  }

  async #receive({ body, headers, remoteAddress }: ReceivedRequest): Promise<Receipt> {
    const share = this.#budget.open(remoteAddress && networkOf(remoteAddress))
    try {
      return await this.#telemetry.span(
        () => DELIVERY_SPAN,
        (span) => this.#take(body, headers, share, span),
      )
    } finally {
      share.close()
    }
  }

  async #take(
    body: RawBody,
    headers: RequestHeaders,
    share: ByteShare,
    span: Span | undefined,
  ): Promise<Receipt> {
    const startedAt = performance.now()
    if (!this.#verification) throw missingSecret(this.#config.otherSecrets)
    const delivery = await verify(body, headers, this.#verification, share)
    share.accept()
    span?.set({ 'clerk_sync.event_id': delivery.svixId, 'clerk_sync.event_type': delivery.event?.type ?? '' })
    if (delivery.event?.type === PROBE_TYPE) return this.#answerProbe(delivery.svixId)
    await this.#prepare()
    this.#releaseNote.note()
    const receipt = await this.#writeHealth.observe(this.#ingest.record(delivery, span?.traceparent))
    span?.set({ 'clerk_sync.outcome': receipt.outcome })
    this.#tellDelivery(receipt, performance.now() - startedAt)
    return receipt
  }

  /** With the names of the changed fields only: their values are personal data. */
  #tellDelivery({ svixId, type, resource, resourceId, outcome, reason, changes }: Receipt, ms: number): void {
    const changed = Object.keys(changes ?? {})
    const fact = { type, resource, resourceId, outcome, reason, changed, ms: Math.round(ms) }
    this.#telemetry.record({ kind: 'delivery', eventId: svixId, ...fact })
  }

  /** As far as a delivery would come, but without a trace. */
  async #answerProbe(svixId: string): Promise<Receipt> {
    await this.check()
    const identity = { svixId, type: PROBE_TYPE, resource: null, resourceId: null }
    return { ...identity, outcome: 'ignored', reason: null, changes: null }
  }

  async handle(request: WebhookRequest): Promise<Reply> {
    const { method, headers, body, advice, remoteAddress } = request
    try {
      if (method !== 'POST') throw new ClerkSyncError('method_not_allowed')
      if (body === null) throw new ClerkSyncError('body_already_parsed', advice)
      await this.#receive({ body, headers, remoteAddress })
      return ACCEPTED
    } catch (error) {
      const refusal = toClerkSyncError(error)
      const { secrets, now } = this.#verification ?? { secrets: [], now: this.#config.now }
      if (!isProbe(headers, secrets, now())) this.#tellRefusal(refusal, { headers, remoteAddress })
      // The answer is public: only the log says which part of the configuration is missing.
      const shown = refusal.code === 'secret_missing' ? new ClerkSyncError('not_configured') : refusal
      return refuse(shown, this.#refusalLog.add(refusal))
    }
  }

  #tellRefusal(refusal: ClerkSyncError, request: Pick<WebhookRequest, 'headers' | 'remoteAddress'>): void {
    this.#refusals.add(refusal, { ...request, body: REFUSED_BODIES.get(refusal) })
    this.#telemetry.record({ kind: 'refusal', code: refusal.code, status: refusal.status })
  }

  async fetch(request: Request): Promise<Response> {
    const { method, headers, body, bodyUsed } = request
    const reply = await this.handle({
      method,
      headers,
      body: bodyUsed ? null : (body ?? ''),
      advice: FETCH_ADVICE,
    })
    return new Response(reply.body, reply)
  }

  on<Pattern extends EventPattern>(
    patterns: Pattern | readonly Pattern[],
    handle: Handler<Pattern>,
    options?: HandlerOptions,
  ): void {
    this.#handlers.add(on(patterns, handle, options))
  }

  readonly handlers: HandlerControl = createControl(
    () => this.#handlers.registry,
    async () => {
      await this.#prepare()
      return this.#handlers.parts
    },
  )

  async work(): Promise<void> {
    await this.#prepare()
    this.#releaseNote.note()
    void this.#clerkPull.verifyPending()
    void this.#cascades.run()
    this.#alerts?.watch()
    await this.#handlers.work()
    if (this.#database.kind === 'postgres') this.#watch.keepLooking()
  }

  async run(runs: readonly RunKey[]): Promise<void> {
    await this.#prepare()
    await this.#handlers.run(runs)
  }

  async drain({ maxSeconds = 10 }: DrainOptions = {}): Promise<DrainResult> {
    requireNumber('maxSeconds', maxSeconds, 'seconds')
    await this.#prepare()
    const deadline = performance.now() + maxSeconds * 1_000
    const timeUp = sleep(maxSeconds * 1_000, undefined, { ref: false })
    const late = Promise.race([this.#clerkPull.verifyPending(), timeUp])
    const [result] = await Promise.all([this.#handlers.drain(maxSeconds), late])
    await this.#housekeeping.maintainHourly((deadline - performance.now()) / 1_000)
    await Promise.race([this.#alerts?.look(), timeUp])
    return result
  }

  async migrate(): Promise<string[]> {
    const { queries, schema } = this.#database
    const ran = await migrate(this.#database)
    await available(makePartitions(queries, schema, partDays(this.#config.retention)))
    return ran
  }

  async replay(filter: EventFilter, options?: ReplayOptions): Promise<ReplayResult> {
    await this.#prepare()
    const apply = (deliveries: readonly RecordedDelivery[]) => this.#ingest.replay(deliveries)
    return replay(this.#database, apply, filter, options)
  }

  async erase(userId: string, options?: EraseOptions): Promise<ErasureResult> {
    await this.#prepare()
    return this.#eraser.erase(userId, options)
  }

  backfill(options?: BackfillOptions) {
    return this.#clerkPull.backfill(options)
  }

  reconcile(options?: ReconcileOptions) {
    return this.#clerkPull.reconcile(options)
  }

  get users() {
    return this.#clerkPull.users
  }

  get organizations() {
    return this.#clerkPull.organizations
  }

  get memberships() {
    return this.#clerkPull.memberships
  }

  waitFor<Name extends ResourceName>(table: Name, id: string, options?: WaitOptions) {
    return this.#clerkPull.waitFor(table, id, options)
  }

  get clerk(): ClerkView {
    const { secretKey, resources, instanceIds, privacy } = this.#config
    return createClerkView({
      isConfigured: secretKey !== '',
      database: this.#database,
      ledger: this.#ingest,
      api: () => this.#clerkPull.api,
      resources,
      instanceIds,
      privacy,
      prepare: () => this.#prepare(),
    })
  }

  get configuration() {
    const { resources, instanceIds } = this.#config
    return { resources, instanceIds }
  }

  observe(observer: Observer): () => void {
    return this.#telemetry.observe(observer)
  }

  async vitals(): Promise<Vitals> {
    await this.#prepare()
    // Not on the connections of your own queries, which may all be busy.
    const { bookkeeping: database, schema } = this.#database
    return read({ database, schema }, readVitals)
  }

  get load(): ProcessLoad {
    return { waitingDeliveries: this.#ingest.waiting, connections: this.#database.connections }
  }

  async maintain(options: MaintainOptions = {}): Promise<MaintenanceResult | null> {
    requireNumbers(options, { maxSeconds: 'seconds' })
    await this.#prepare()
    if (options.dryRun) return available(measure(this.#database, this.#config.retention))
    void this.#clerkPull.verifyPending()
    void this.#cascades.run()
    const result = await this.#housekeeping.maintain(options)
    await this.#alerts?.look()
    return result
  }

  async check(): Promise<void> {
    await this.#prepare()
    const pending = await this.#watch.pending()
    if (pending.length > 0) throw new ClerkSyncError('database_outdated', `it lacks ${pending.join(', ')}`)
    await this.#writeHealth.check(this.#database.bookkeeping)
  }

  /** Its handlers would write into tables that have changed. */
  #standDown(error: ClerkSyncError): void {
    this.#config.log.error({ code: error.code, remedy: error.remedy }, error.message)
    void this.#handlers.rest(HANDLER_GRACE_MS)
  }

  close({ handlerGraceMs = HANDLER_GRACE_MS }: CloseOptions = {}): Promise<void> {
    requireNumber('handlerGraceMs', handlerGraceMs, 'duration')
    this.#closing ??= this.#close(handlerGraceMs)
    return this.#closing
  }

  /** The ledger first: its last commits may still create handler runs. */
  async #close(graceMs: number): Promise<void> {
    this.#watch.close()
    const steps = [
      async () => this.#alerts?.close(),
      () => this.#clerkPull.close(),
      () => this.#ingest.close(),
      () => this.#cascades.close(),
      () => this.#handlers.close(graceMs),
      () => this.#releaseNote.close(),
      () => this.#refusals.flush(),
      () => this.#database.close(),
    ]
    // The database is closed even if one of them fails.
    const errors: unknown[] = []
    for (const step of steps) await step().catch((error) => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #requireCompatible(): Promise<void> {
    this.#watch.require()
  }

  get #isReady(): boolean {
    return this.#database.kind === 'postgres' || this.#prepared !== undefined
  }

  /** The embedded database belongs to this process alone, so that nobody else could migrate it. */
  #prepare(): Promise<unknown> {
    if (this.#database.kind === 'postgres') return this.#requireCompatible()
    this.#prepared ??= this.migrate().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }
}

const DELIVERY_SPAN: SpanStart = { name: 'clerk-sync delivery', kind: 'consumer', attributes: {} }

const FETCH_ADVICE = 'the Request was read before; pass it untouched, and read request.clone() yourself'

/** Less than the ten seconds that the standalone server and most orchestrators give. */
const HANDLER_GRACE_MS = 8_000
/** A transaction of this many events takes some 50 ms; larger ones only make the others wait. */
const MAX_BATCH_ITEMS = 500
