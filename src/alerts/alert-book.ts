/** Open alerts and the messages sent for them. Stored in the database, so that several processes send one message. */

import type { Kysely } from 'kysely'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Trouble, TroubleName } from './troubles.ts'

/** A message that this process is to send now. */
export interface DueAlert {
  readonly name: TroubleName
  readonly summary: string
  readonly began_at: Date
  /** Null: the alert begins with this message. */
  readonly ended_at: Date | null
}

/** An alert that flaps is sent at most once in this many minutes. */
const QUIET_MINUTES = 10
/** Longer than all tries of one message. */
const SENDING_SECONDS = 60

export class AlertBook {
  readonly #database: Kysely<ClerkTables>
  readonly #table: string

  constructor(database: Kysely<ClerkTables>, schema: string) {
    this.#database = database
    this.#table = qualify(schema, 'alerts')
  }

  /** Records the current alerts; all others have ended. */
  async note(troubles: readonly Trouble[]): Promise<void> {
    const names = troubles.map(({ name }) => name)
    await query(
      this.#database,
      `update ${this.#table} set ended_at = clock_timestamp() where ended_at is null and name <> all($1::text[])`,
      [names],
    )
    if (names.length === 0) return
    await query(
      this.#database,
      `insert into ${this.#table} as known (name, began_at, summary)
       select name, clock_timestamp(), summary from unnest($1::text[], $2::text[]) as trouble(name, summary)
       order by name
       on conflict (name) do update
       set began_at = clock_timestamp(), ended_at = null, summary = excluded.summary, begin_sent_at = null,
           end_sent_at = null
       where known.ended_at < clock_timestamp() - interval '${QUIET_MINUTES} minutes'`,
      [names, troubles.map(({ summary }) => summary)],
    )
  }

  /** Claims the messages that no process sends yet. The end of an alert is sent only if its begin was. */
  claim(): Promise<DueAlert[]> {
    return query<DueAlert>(
      this.#database,
      `update ${this.#table} set sending_until = clock_timestamp() + interval '${SENDING_SECONDS} seconds'
       where name in (
         select name from ${this.#table}
         where (sending_until is null or sending_until < clock_timestamp())
           and case when ended_at is null then begin_sent_at is null
             else begin_sent_at is not null and end_sent_at is null end
         order by name for update skip locked
       )
       returning name, summary, began_at, ended_at`,
      [],
    )
  }

  async sent({ name, ended_at }: DueAlert): Promise<void> {
    const column = ended_at === null ? 'begin_sent_at' : 'end_sent_at'
    await query(
      this.#database,
      `update ${this.#table}
       set ${column} = clock_timestamp(), sending_until = null, failed_at = null, failure = null where name = $1`,
      [name],
    )
  }

  /** It is tried again when the claim is over. */
  async failed({ name }: DueAlert, failure: string): Promise<void> {
    await query(
      this.#database,
      `update ${this.#table} set failed_at = clock_timestamp(), failure = $2 where name = $1`,
      [name, failure],
    )
  }
}
