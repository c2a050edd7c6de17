/** A worker's lease: one row that it extends for as long as it lives. Its runs belong to it for as long as the row is there. */

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { type DueRow, type KeyRow, type RunKey, toKey } from './run.ts'
import type { RunStatements } from './statements.ts'

/**
 * How long a worker may be silent. A lost worker's runs start again after this and a look into the table: within 30 s.
 * A process that is silent for longer (a blocked event loop) counts as lost, and is fenced out.
 */
export const LEASE_MS = 20_000
/** Four heartbeats may be missed before a lease ends. */
export const HEARTBEAT_MS = LEASE_MS / 4
/**
 * A database outage affects all workers: their leases expire although they live, and they renew them with their next
 * heartbeat.
 */
const FORBEARANCE_MS = 2 * HEARTBEAT_MS

export class Lease {
  readonly #database: Kysely<ClerkTables>
  readonly #statements: RunStatements
  #worker: Promise<string> | undefined
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(database: Kysely<ClerkTables>, statements: RunStatements) {
    this.#database = database
    this.#statements = statements
  }

  /** The worker's id: a new one after a lease was lost, so that nothing of the old one counts any more. */
  hold(): Promise<string> {
    this.#worker ??= this.#register().catch((error) => {
      this.#worker = undefined
      throw error
    })
    return this.#worker
  }

  /** Extends the lease; returns the worker's id if it was lost. */
  async renew(): Promise<string | null> {
    if (this.#worker === undefined) return null
    const worker = await this.#worker
    const kept = await query(this.#database, this.#statements.renew, [worker, LEASE_MS]).catch((error) => {
      this.#failedAt = Date.now()
      throw error
    })
    if (kept.length === 1) return null
    this.#worker = undefined
    return worker
  }

  /**
   * Gives the lease up. Never rejects: a lease that stays ends by itself.
   * @param isClean whether no run is left; otherwise others find the lease to be over, and set those free
   */
  async end(isClean: boolean): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined)
    this.#worker = undefined
    if (!worker) return
    const { unregister, expire } = this.#statements
    await query(this.#database, isClean ? unregister : expire, [worker]).catch(() => undefined)
  }

  /** Sets the runs of lost workers free; returns them. */
  async reap(): Promise<RunKey[]> {
    if (Date.now() < this.#failedAt + FORBEARANCE_MS) return []
    return this.#database.transaction().execute(async (trx) => {
      const lost = await query<{ id: string }>(trx, this.#statements.removeLost)
      if (lost.length === 0) return []
      // In a statement of its own: it must see what a claim committed just before its worker was removed.
      const free = await query<KeyRow & DueRow>(trx, this.#statements.setFree, [lost.map(({ id }) => id)])
      return free.map(toKey)
    })
  }

  async #register(): Promise<string> {
    const worker = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
    await query(this.#database, this.#statements.register, [worker, LEASE_MS])
    return worker
  }
}
