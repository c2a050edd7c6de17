/**
 * Verifies doubtful rows with Clerk, soon after they were inserted.
 *
 * A resource that was created and deleted during an outage leaves no tombstone, so that Svix's late retry of the
 * creation inserts a row. If a sweep ran in between and did not find the resource, Clerk may have deleted it: the row
 * is doubtful.
 */

import { RESOURCES } from '../clerk/catalogue.ts'
import type { Resource } from '../clerk/resource.ts'
import { messageOf } from '../database/failure.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { ask, openRepair, type RepairParts, repairRows } from './confirm.ts'
import { wasRead } from './last-sweep.ts'
import type { Answer } from './lookup.ts'
import { CLAIM_SECONDS, PendingVerifications } from './pending-verifications.ts'
import type { Repair } from './task.ts'

export interface RowVerifierOptions extends RepairParts {
  readonly log: Logger
}

export class RowVerifier {
  readonly #options: RowVerifierOptions
  readonly #rows: PendingVerifications
  readonly #closing = new AbortController()
  /** The current pass, and whether rows were added since it began. */
  #running: Promise<void> | undefined
  #isAsked = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: RowVerifierOptions) {
    this.#options = options
    this.#rows = new PendingVerifications(options.database.queries, options.database.schema)
  }

  /** Verifies the pending rows. Never rejects: failures are retried in a minute. */
  run(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#isAsked = true
    this.#running ??= this.#untilNothingCame()
    return this.#running
  }

  /** Leaves unfinished rows to the next process. */
  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#retry)
    await this.#running
  }

  async #untilNothingCame(): Promise<void> {
    let areLeft = true
    try {
      while (this.#isAsked && !this.#closing.signal.aborted) {
        this.#isAsked = false
        await this.#askForAll()
        areLeft = await this.#rows.areLeft()
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.#options.log.warn({ cause: messageOf(error) }, 'cannot verify rows with Clerk; retrying')
    } finally {
      if (areLeft) this.#askAgain()
      // Reset synchronously, so that a new caller starts a new pass.
      this.#running = undefined
    }
  }

  #askAgain(): void {
    clearTimeout(this.#retry)
    if (this.#closing.signal.aborted) return
    this.#retry = setTimeout(() => void this.run(), CLAIM_SECONDS * 1_000).unref()
  }

  async #askForAll(): Promise<void> {
    const tables = await this.#rows.tables()
    if (tables.length === 0) return
    const repair = await openRepair(this.#options, { signal: this.#closing.signal })
    const { database, schema, instanceId } = repair
    const failures: unknown[] = []
    for (const table of tables) {
      const notifiesHandlers = await wasRead(database, schema, table, instanceId)
      // The table was synced when the row was added, and is not any more.
      if (!this.#options.resources.has(table)) continue
      const resource = RESOURCES.get(table) as Resource
      await this.#askFor({ ...repair, notifiesHandlers }, resource).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #askFor(repair: Repair, resource: Resource): Promise<void> {
    for (;;) {
      const ids = await this.#rows.claim(resource, repair.instanceId)
      if (ids.length === 0) return
      const answers = await this.#ask(repair, resource, ids)
      const refused = answers.length > 0 ? await repairRows(repair, resource, answers) : []
      if (refused.length > 0)
        this.#options.log.error(
          { table: resource.table, refused },
          'the database rejected a repair after verification with Clerk',
        )
      await this.#rows.remove(resource, ids)
    }
  }

  /** Empty for a feature that is switched off: it hides its resources. */
  async #ask(repair: Repair, resource: Resource, ids: readonly string[]): Promise<Answer[]> {
    const rows = await this.#rows.read(resource, ids)
    return ask(repair, resource, rows).catch((error) => {
      if (error instanceof ClerkSyncError && error.code === 'api_feature_off') return []
      throw error
    })
  }
}
