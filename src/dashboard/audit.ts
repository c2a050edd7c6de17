/** Writes down who did what: before it is done, so that nothing is done that is not written down. */

import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { ClerkTables } from '../database/tables.ts'
import type { Principal } from './principal.ts'

export interface NewAuditEntry {
  /** `replay`, `discard`, `reveal`, … */
  readonly action: string
  /** `events/msg_…` */
  readonly target?: string | undefined
  readonly reason?: string | undefined
  readonly details?: unknown
}

export class AuditLog {
  readonly #database: Kysely<ClerkTables>

  constructor(database: Kysely<ClerkTables>) {
    this.#database = database
  }

  /**
   * Does something in somebody's name. It counts as failed until it is done.
   * @param isDone whether its result is a success
   * @throws whatever it throws
   */
  async record<Result>(
    principal: Principal,
    entry: NewAuditEntry,
    work: () => Promise<Result>,
    isDone: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    const id = await this.write(principal, entry, false)
    const result = await work()
    if (!isDone(result)) return result
    await this.#database.updateTable('audit_log').set({ succeeded: true }).where('id', '=', id).execute()
    return result
  }

  /** Notes something that is over. */
  async write(principal: Principal, entry: NewAuditEntry, succeeded: boolean): Promise<string> {
    const { action, target = null, reason = null, details } = entry
    const id = `aud_${Date.now().toString(36)}${randomBytes(8).toString('hex')}`
    const row = {
      id,
      actor: principal.name.slice(0, 200),
      role: principal.role,
      action,
      target,
      reason,
      succeeded,
    }
    await this.#database
      .insertInto('audit_log')
      .values({ ...row, details: details === undefined ? null : JSON.stringify(details) })
      .execute()
    return id
  }
}
