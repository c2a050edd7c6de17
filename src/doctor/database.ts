/** Whether the database can be used, and if not, why exactly. */

import type { Kysely } from 'kysely'
import { requireDatabase } from '../database/embedded-folder.ts'
import { isFileMissing } from '../database/failure.ts'
import { pendingMigrations } from '../database/migrate.ts'
import { explainDenial } from '../database/privilege.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import { requireWritable } from '../database/write-health.ts'
import { formatDuration } from '../duration.ts'
import { ClerkSyncError } from '../errors.ts'
import { describeProblem, type ProblemCode } from '../explanations/problems.ts'
import type { ClerkSync } from '../index.ts'
import { type Check, failed, found, passed, type Result, toResult } from './check.ts'

/** By SQLSTATE, or by the code of the network error. */
const CAUSES: Readonly<Record<string, ProblemCode>> = {
  ENOTFOUND: 'database_host_unknown',
  EAI_AGAIN: 'database_host_unknown',
  ENOENT: 'database_certificate_missing',
  SELF_SIGNED_CERT_IN_CHAIN: 'database_certificate_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'database_certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'database_certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'database_certificate_untrusted',
  CERT_HAS_EXPIRED: 'database_certificate_untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'database_certificate_untrusted',
  ECONNREFUSED: 'database_refused',
  ENETUNREACH: 'database_unreachable',
  EHOSTUNREACH: 'database_unreachable',
  ETIMEDOUT: 'database_unreachable',
  '28000': 'database_login_failed',
  '28P01': 'database_login_failed',
  '3D000': 'database_absent',
  '53300': 'database_full',
}

type Look = (sync: ClerkSync) => Promise<readonly Result[]>

/** The database as the checks need it, read once for all checks. */
export class ExaminedDatabase {
  readonly sync: ClerkSync
  #examined: Promise<Result[]> | undefined

  constructor(sync: ClerkSync) {
    this.sync = sync
  }

  examine(): Promise<Result[]> {
    this.#examined ??= this.#examine()
    return this.#examined
  }

  /** Whether its tables can be read. */
  async isUsable(): Promise<boolean> {
    return (await this.examine()).every(({ status, code }) => status === 'passed' || code === 'database_far')
  }

  /** Makes checks of the tables. They find nothing while the tables cannot be read: {@link examine} says why. */
  checksIn(group: Check['group']): (name: string, look: Look) => Check {
    return (name, look) => ({
      group,
      name,
      run: async () => ((await this.isUsable()) ? look(this.sync) : []),
    })
  }

  async #examine(): Promise<Result[]> {
    const { database, location } = this.sync
    const startedAt = performance.now()
    try {
      requireDatabase(this.sync.location)
      const pending = await pendingMigrations(database, location.schema)
      const elapsed = formatDuration(performance.now() - startedAt)
      const reachable = passed(`${location.name} answers (${elapsed}).`)
      if (pending.length === 0) {
        await requireWritable(database)
        return [reachable, ...(await this.#distance()), passed(`Schema ${location.schema} is up to date.`)]
      }
      const outdated = failed(new ClerkSyncError('database_outdated', `it lacks ${pending.join(', ')}`))
      const what = `Run the pending migrations on ${location.name}`
      return [reachable, { ...outdated, fix: { what, apply: (sync) => sync.migrate() } }]
    } catch (error) {
      return [await this.#explain(error)]
    }
  }

  /** The embedded one is in this process. */
  async #distance(): Promise<Result[]> {
    if (this.sync.location.kind === 'embedded') return []
    const roundTripMs = await measureRoundTrip(this.sync.database)
    const time = formatRoundTrip(roundTripMs)
    if (roundTripMs <= FAR_MS) return [{ ...passed(`A round trip to it takes ${time}.`), roundTripMs }]
    const delivery = formatRoundTrip(2 * roundTripMs)
    const cost = `a round trip to it takes ${time}, so each delivery spends ${delivery} on the network`
    return [{ ...found('database_far', cost), roundTripMs }]
  }

  async #explain(error: unknown): Promise<Result> {
    // A running server holds the folder, which is fine.
    if (error instanceof ClerkSyncError && error.code === 'embedded_locked') return toResult(error, 'warning')
    const { database, location } = this.sync
    const denial = await explainDenial(database, location.schema, error)
    if (denial) return failed(denial)
    const code = causeOf(error)
    return code === undefined
      ? failed(error)
      : toResult(describeProblem(code, detailOf(error, location.name)))
  }
}

export function databaseCheck(examined: ExaminedDatabase): Check {
  return { group: 'database', name: 'database', run: () => examined.examine() }
}

/** Which file is missing says more than which database. */
function detailOf(error: unknown, name: string): string {
  const cause = error instanceof ClerkSyncError ? error.cause : error
  return isFileMissing(cause) ? ((cause as NodeJS.ErrnoException).path ?? name) : name
}

function causeOf(error: unknown): ProblemCode | undefined {
  const cause = error instanceof ClerkSyncError ? error.cause : error
  if (!(cause instanceof Error)) return undefined
  const [first = cause] = cause instanceof AggregateError ? cause.errors : []
  const known = CAUSES[(first as NodeJS.ErrnoException).code ?? '']
  return known ?? (/\b(SSL|TLS|no encryption)\b/i.test(cause.message) ? 'database_tls_required' : undefined)
}

/** A delivery waits for two round trips, a look at the dashboard for several. */
export const FAR_MS = 20
const TRIES = 5

/** The median of a few round trips over one connection, in milliseconds. */
export function measureRoundTrip(database: Kysely<ClerkTables>): Promise<number> {
  return database.connection().execute(async (connection) => {
    // Plans, and whatever else the first statement of a connection costs.
    await query(connection, 'select 1')
    const times: number[] = []
    for (let tries = 0; tries < TRIES; tries++) {
      const startedAt = performance.now()
      await query(connection, 'select 1')
      times.push(performance.now() - startedAt)
    }
    const median = times.sort((a, b) => a - b)[Math.floor(TRIES / 2)] as number
    return Math.round(median * 100) / 100
  })
}

/** "34 ms", "0.4 ms" */
export function formatRoundTrip(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
