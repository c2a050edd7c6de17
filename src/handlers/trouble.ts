/** Distinguishes a failure of the database from one of the handler: it does not count as an attempt. */

/** Connection exceptions, too many connections, a server that stops, crashes or starts, and one that is no longer the primary. */
const STATES = /^(08...|25006|53300|57P0[1-4])$/
/** Of the operating system and of Node. */
const CODES = /^(E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN)|ENOTFOUND)/
/** The driver gives these no code. */
const MESSAGES =
  /connection terminated|connection error|not queryable|timeout exceeded when trying to connect|connection timeout|connection is lost/i

/** Whether the connection to the database failed, rather than what was asked of it. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.every(isConnectionLoss)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return STATES.test(code) || CODES.test(code) || (code === '' && MESSAGES.test(error.message))
}
