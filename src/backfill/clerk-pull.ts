/** Reads from Clerk's Backend API: backfill, reconcile, ensure, and the verification of doubtful rows. */

import { ClerkApi } from '../clerk/api/client.ts'
import type { ResourceName } from '../clerk/catalogue.ts'
import type { Privacy } from '../clerk/privacy.ts'
import type { Database } from '../database/database.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { Logger } from '../log.ts'
import { Ensurer, type Row } from './ensure.ts'
import { requireKept } from './kept.ts'
import { RateBudget, UNLIMITED } from './rate-budget.ts'
import { RowVerifier } from './row-verifier.ts'
import {
  type BackfillOptions,
  type BackfillResult,
  type ReconcileOptions,
  type ReconcileResult,
  Sweeps,
} from './sweeps.ts'
import { type WaitOptions, waitFor } from './wait.ts'

/** A membership, by its organization and user. */
export interface MembershipKey {
  readonly organizationId: string
  readonly userId: string
}

/** The part of a sync that does not wait for webhooks. */
export interface CatchUp {
  /**
   * Imports existing data from Clerk's Backend API, and anything that was missed. It is safe to run during live
   * deliveries and to repeat; it resumes an earlier run that was stopped or killed.
   *
   * @example
   * const { status, resources } = await sync.backfill({ resources: ['users'] })
   *
   * @throws {ClerkSyncError} `api_…`, `job_running`, `database_…`
   */
  backfill(options?: BackfillOptions): Promise<BackfillResult>

  /**
   * Compares the tables with Clerk and repairs what differs: what is missing, old, edited, or deleted in Clerk. Each
   * deletion is confirmed by the resource's id first.
   *
   * @example
   * const { drift } = await sync.reconcile({ dryRun: true })
   *
   * @throws {ClerkSyncError} `api_…`, `job_running`, `database_…`
   */
  reconcile(options?: ReconcileOptions): Promise<ReconcileResult>

  /** The users. */
  readonly users: {
    /**
     * The user's row, fetched from Clerk once if it is not here yet: for the first request after a sign-up, which often
     * comes before its webhook. Undefined if the user was deleted or does not exist.
     *
     * @example
     * const { userId } = await auth()
     * const user = await sync.users.ensure(userId)
     *
     * @throws {ClerkSyncError} `api_…`, `database_…`
     */
    ensure(id: string): Promise<Row<'users'> | undefined>
  }

  /** The organizations; as {@link users}. */
  readonly organizations: { ensure(id: string): Promise<Row<'organizations'> | undefined> }

  /** The memberships of organizations; as {@link users}, by organization and user. */
  readonly memberships: { ensure(key: MembershipKey): Promise<Row<'organization_memberships'> | undefined> }

  /**
   * Waits until the tables show a change, and returns the row: read your own writes after a change in Clerk.
   *
   * @example
   * const { updatedAt } = await clerkClient.users.updateUser(userId, { firstName: 'Ada' })
   * const user = await sync.waitFor('users', userId, { updatedAt })
   *
   * @throws {ClerkSyncError} `wait_timed_out`, `database_…`
   */
  waitFor<Name extends ResourceName>(table: Name, id: string, options?: WaitOptions): Promise<Row<Name>>
}

/** The options of a sync that it uses. */
export interface ClerkPullSettings {
  readonly secretKey: string
  readonly apiUrl: string
  readonly apiVersion: string
  readonly apiRateLimit: number
  readonly apiTimeoutMs: number
  readonly apiPageSize: number
  readonly resources: ReadonlySet<string>
  /** Undefined if everything is stored. */
  readonly privacy: Privacy | undefined
  readonly instanceIds: ReadonlySet<string>
  readonly now: () => number
  readonly log: Logger
}

export class ClerkPull implements CatchUp {
  readonly users
  readonly organizations
  readonly memberships
  readonly #database: Database
  readonly #ledger: Ingest
  readonly #settings: ClerkPullSettings
  readonly #prepare: () => Promise<unknown>
  readonly #verifier: RowVerifier
  readonly #closing = new AbortController()
  readonly #underWay = new Set<Promise<unknown>>()

  /** @param prepare resolves when the tables are there */
  constructor(
    database: Database,
    ledger: Ingest,
    settings: ClerkPullSettings,
    prepare: () => Promise<unknown>,
  ) {
    this.#database = database
    this.#ledger = ledger
    this.#settings = settings
    this.#prepare = prepare
    const { instanceIds, resources, privacy, log } = settings
    const api = () => this.api
    this.#verifier = new RowVerifier({ database, ledger, api, resources, privacy, instanceIds, log })
    const ensurer = new Ensurer({ database, ledger, api, instanceIds, resources, privacy })
    const ensure = async <Name extends ResourceName>(name: Name, key: Record<string, string>) => {
      await prepare()
      return ensurer.ensure(name, key)
    }
    this.users = { ensure: (id: string) => ensure('users', { id }) }
    this.organizations = { ensure: (id: string) => ensure('organizations', { id }) }
    this.memberships = {
      ensure: ({ organizationId, userId }: MembershipKey) =>
        ensure('organization_memberships', { organization_id: organizationId, user_id: userId }),
    }
  }

  backfill(options: BackfillOptions = {}): Promise<BackfillResult> {
    return this.#sweep(options.signal, (sweeps, signal) => sweeps.backfill({ ...options, signal }))
  }

  reconcile(options: ReconcileOptions = {}): Promise<ReconcileResult> {
    return this.#sweep(options.signal, (sweeps, signal) => sweeps.reconcile({ ...options, signal }))
  }

  async waitFor<Name extends ResourceName>(
    table: Name,
    id: string,
    options: WaitOptions = {},
  ): Promise<Row<Name>> {
    requireKept(table, this.#settings.resources)
    await this.#prepare()
    return waitFor(this.#database.queries, table, id, options)
  }

  /** Verifies doubtful rows with Clerk. Without the secret key they wait for a process that has it. */
  async verifyPending(): Promise<void> {
    if (this.#settings.secretKey !== '') await this.#verifier.run()
  }

  /** Stops running jobs; the next run resumes them. */
  async close(): Promise<void> {
    this.#closing.abort(new ClerkSyncError('shutting_down'))
    await Promise.allSettled([...this.#underWay, this.#verifier.close()])
  }

  async #sweep<Result>(
    signal: AbortSignal | undefined,
    run: (sweeps: Sweeps, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { resources, privacy, instanceIds } = this.#settings
    const [database, ledger, api] = [this.#database, this.#ledger, this.api]
    await this.#prepare()
    const sweeps = new Sweeps({ database, ledger, api, resources, privacy, instanceIds })
    const { signal: closing } = this.#closing
    const running = run(sweeps, signal ? AbortSignal.any([signal, closing]) : closing)
    this.#underWay.add(running)
    return running.finally(() => this.#underWay.delete(running))
  }

  /** @throws {ClerkSyncError} `api_key_missing` */
  get api(): ClerkApi {
    const { secretKey, apiUrl, apiVersion, apiRateLimit, now } = this.#settings
    const { apiTimeoutMs: timeoutMs, apiPageSize: pageSize } = this.#settings
    if (secretKey === '') throw new ClerkSyncError('api_key_missing')
    const { queries, schema } = this.#database
    const budget =
      apiRateLimit === Number.POSITIVE_INFINITY
        ? UNLIMITED
        : new RateBudget(queries, schema, secretKey, apiRateLimit)
    return new ClerkApi({ secretKey, apiUrl, apiVersion, timeoutMs, pageSize, budget, now })
  }
}
