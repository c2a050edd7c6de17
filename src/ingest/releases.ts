/** Notes when the first process of a release started. */

import type { Database } from '../database/database.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'

export class ReleaseNote {
  readonly #database: Database
  readonly #release: string | undefined
  #noted: Promise<unknown> | undefined

  constructor(database: Database, release: string | undefined) {
    this.#database = database
    this.#release = release
  }

  /** Once for each process. Nothing waits for it; if the database cannot take it, the next call tries again. */
  note(): void {
    if (this.#release === undefined) return
    this.#noted ??= noteRelease(this.#database, this.#release).catch(() => {
      this.#noted = undefined
    })
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.#noted
  }
}

/** The first start counts: later processes of a release change nothing. */
async function noteRelease(
  { queries, schema }: Pick<Database, 'queries' | 'schema'>,
  release: string,
): Promise<void> {
  const table = qualify(schema, 'releases')
  await query(queries, `insert into ${table} (release) values ($1) on conflict (release) do nothing`, [
    release,
  ])
}
