/** What kind of failure a database error is, because each kind has its own answer. */

import { ClerkSyncError } from '../errors.ts'

/**
 * - `unavailable`: the database cannot work now; refuse the delivery, Svix sends it again
 * - `conflict`: two transactions met; run this one again
 * - `rejected`: the database works and refuses this data; running it again changes nothing
 */
export type FailureKind = 'unavailable' | 'conflict' | 'rejected'

/** By SQLSTATE, or its class. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const KINDS: Readonly<Record<string, FailureKind>> = {
  '40001': 'conflict', // serialization_failure
  '40P01': 'conflict', // deadlock_detected
  '26000': 'conflict', // invalid_sql_statement_name: see `hasLostStatement`
  '42P05': 'conflict', // duplicate_prepared_statement
  '23505': 'conflict', // unique_violation: another transaction made the same row meanwhile
  '55P03': 'conflict', // lock_not_available: who had the lock is ended before the next try
  '25P03': 'conflict', // idle_in_transaction_session_timeout: this process stood still
  '21': 'rejected', // cardinality_violation
  '22': 'rejected', // data_exception
  '23': 'rejected', // integrity_constraint_violation
  '54': 'rejected', // program_limit_exceeded, e.g. an index entry that is too large
  P0: 'rejected', // raised by a function or trigger
}

/** Everything without a known answer counts as unavailable: a delivery that is refused comes again, one taken is never redone. */
export function failureKind(error: unknown): FailureKind {
  const state = sqlState(error)
  return state === undefined ? 'unavailable' : (KINDS[state] ?? KINDS[state.slice(0, 2)] ?? 'unavailable')
}

/** A statement ran into its time limit. */
export function isTimeLimit(error: unknown): boolean {
  return sqlState(error) === '57014'
}

/** A unique index has the value already. If that stays so, the index is not ours. */
export function isTaken(error: unknown): boolean {
  return sqlState(error) === '23505'
}

const OUTDATED = new Set(['3F000', '42P01', '42703', '42883', '42704']) // missing schema, table, column, function, object
const TIMEOUT = new Set(['57014', '55P03', '25P03', '25P04']) // canceled, lock timeout, idle and transaction timeouts

/** read_only_sql_transaction: the server is a standby or a former primary. */
export const READ_ONLY = '25006'

/** SQLSTATE classes of a database that cannot work, whatever it is asked: no connection, login, database, room or server. */
const OUTAGES = new Set(['08', '28', '3D', '53', '57', '58'])

/** Whether the database could not work at all, rather than refused what it was asked. Network errors have no SQLSTATE. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || state === READ_ONLY || TIMEOUT.has(state) || OUTAGES.has(state.slice(0, 2))
}

const LOST_STATEMENT = new Set(['26000', '42P05'])

/** Whether a prepared statement is not where it was prepared: a pooler changed the connection to the server. */
export function hasLostStatement(error: unknown): boolean {
  return LOST_STATEMENT.has(sqlState(error) ?? '')
}

/** Whether the server only reads, as a former primary does. */
function isReadOnly(error: unknown): boolean {
  return sqlState(error) === READ_ONLY
}

/** Whether a table, or what holds it, is not there. */
export function isMissing(error: unknown): boolean {
  return OUTDATED.has(sqlState(error) ?? '')
}

/** Whether a table lacks a column. */
export function isMissingColumn(error: unknown): boolean {
  return sqlState(error) === '42703'
}

/** Whether a lock was not free within the time that one may wait for it. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03'
}

export function isDeadlock(error: unknown): boolean {
  return sqlState(error) === '40P01'
}

/** Whether the user lacks a privilege. */
export function isDenied(error: unknown): boolean {
  return sqlState(error) === '42501'
}

/** Where more is known than for every outage. */
function remedyFor(error: unknown): string | undefined {
  if (!isFileMissing(error)) return undefined
  return 'sslrootcert, sslcert or sslkey in DATABASE_URL names this file: correct the path, or remove the parameter to use the certificates that Node trusts.'
}

/** `pg` reads the certificates that an address names when it connects. */
export function isFileMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ENOENT' &&
    'syscall' in error &&
    error.syscall === 'open'
  )
}

/** The refusal that a caller of ours understands, for a failure of the database. */
export function toUnavailable(error: unknown): ClerkSyncError {
  if (error instanceof ClerkSyncError) return error
  const state = sqlState(error) ?? ''
  const cause = { cause: error }
  if (isMissing(error)) return new ClerkSyncError('database_outdated', messageOf(error), cause)
  if (isReadOnly(error)) return new ClerkSyncError('database_read_only', messageOf(error), cause)
  if (TIMEOUT.has(state)) return new ClerkSyncError('database_timeout', undefined, cause)
  if (state === '53100') return new ClerkSyncError('database_disk_full', messageOf(error), cause)
  if (isDenied(error)) return new ClerkSyncError('database_denied', messageOf(error), cause)
  return new ClerkSyncError('database_unavailable', messageOf(error), { ...cause, remedy: remedyFor(error) })
}

/** A query whose failure is a {@link ClerkSyncError}. */
export function available<Result>(query: Promise<Result>): Promise<Result> {
  return query.catch((error) => {
    throw toUnavailable(error)
  })
}

function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // Network errors have codes too: ECONNREFUSED, EPIPE. Only an SQLSTATE has digits.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Connection errors to several addresses come as an AggregateError with an empty message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
