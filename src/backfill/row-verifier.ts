/**
 * Asks Clerk for rows that came late, soon after they did.
 *
 * What was created and deleted while nobody listened leaves no tombstone, so that Svix's late retry of the creation makes a
 * row. But the sweep that came between them would have made that row, had Clerk still had it: hence the suspicion.
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
  /** What is under way, and whether rows came since it began to look. */
  #running: Promise<void> | undefined
  #isAsked = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: RowVerifierOptions) {
    this.#options = options
    this.#rows = new PendingVerifications(options.database.queries, options.database.schema)
  }

  /** Asks for what there is. Never rejects: what could not be asked for yet is asked for again in a minute. */
  run(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#isAsked = true
    this.#running ??= this.#untilNothingCame()
    return this.#running
  }

  /** Leaves what is under way to the next process that looks. */
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
      // At once: who asks from now on must not be given what has just ended.
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
      // Of a table that was kept when its row came late, and is not kept any more.
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

  /** None for a feature that is switched off, which hides what there is. */
  async #ask(repair: Repair, resource: Resource, ids: readonly string[]): Promise<Answer[]> {
    const rows = await this.#rows.read(resource, ids)
    return ask(repair, resource, rows).catch((error) => {
      if (error instanceof ClerkSyncError && error.code === 'api_feature_off') return []
      throw error
    })
  }
}
