/** The audit log. An entry is written before the action, so that no action goes unrecorded. */

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
   * Records an action and runs it. The entry counts as failed until the action succeeds.
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

  /** Writes an entry for an action that has ended. */
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
