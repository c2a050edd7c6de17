/** One process at a time: a row with a lease, which needs no state of a session and so works behind any pooler. */

import { randomUUID } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'

/** Longer than one batch takes. A process that dies blocks the others for this long. */
const LEASE_SECONDS = 60

export class MaintenanceLease {
  readonly #database: Pick<Database, 'queries' | 'schema'>
  readonly #holder: string
  readonly #table: string

  private constructor(database: Pick<Database, 'queries' | 'schema'>) {
    this.#database = database
    this.#holder = randomUUID()
    this.#table = qualify(database.schema, 'maintenance')
  }

  /**
   * @param restMs only if the last maintenance ended longer ago
   * @returns null if another process holds the lease, or it was done lately
   */
  static async take(
    database: Pick<Database, 'queries' | 'schema'>,
    restMs: number,
  ): Promise<MaintenanceLease | null> {
    const lease = new MaintenanceLease(database)
    return (await lease.#take(restMs)) ? lease : null
  }

  /** Whether it is still ours. */
  async renew(): Promise<boolean> {
    const rows = await query(
      this.#database.queries,
      `update ${this.#table} set lease_until = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
       where holder = $1 returning holder`,
      [this.#holder],
    )
    return rows.length > 0
  }

  /** @param isDone false: the next one need not wait */
  async release(isDone: boolean): Promise<void> {
    await query(
      this.#database.queries,
      `update ${this.#table} set holder = null, lease_until = '-infinity',
         ended_at = case when $2 then clock_timestamp() else ended_at end where holder = $1`,
      [this.#holder, isDone],
    )
  }

  async #take(restMs: number): Promise<boolean> {
    const { queries } = this.#database
    const rows = await query(
      queries,
      `insert into ${this.#table} as lease (holder, lease_until)
       values ($1, clock_timestamp() + interval '${LEASE_SECONDS} seconds')
       on conflict (id) do update set holder = excluded.holder, lease_until = excluded.lease_until
       where lease.lease_until < clock_timestamp()
         and ($2::float8 = 0 or lease.ended_at is null or lease.ended_at <= clock_timestamp() - $2::float8 * interval '1 millisecond')
       returning holder`,
      [this.#holder, restMs],
    )
    return rows.length > 0
  }
}
