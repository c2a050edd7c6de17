/** Where clerk-sync logs what happens. Any pino logger fits. */

import { inspect } from 'node:util'

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The default inside an app: only what needs attention, one line of JSON each. */
export const consoleLogger: Logger = guardLogger({
  debug() {},
  info() {},
  warn: (fields, message) => console.warn(line('warn', fields, message)),
  error: (fields, message) => console.error(line('error', fields, message)),
})

/** For what prints its own summary. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** As pino writes it with its levels by name. */
function line(level: string, fields: object, msg: string): string {
  return toJson({ level, time: new Date(), msg, ...fields })
}

/** The JSON of a log line. A member that JSON has no text for, such as a bigint or a cycle, is shown as Node shows it. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    if (typeof value !== 'object' || value === null) return JSON.stringify(inspect(value))
    return JSON.stringify(Object.fromEntries(Object.entries(value).map(showMember)))
  }
}

function showMember([name, value]: [string, unknown]): [string, unknown] {
  try {
    JSON.stringify(value)
    return [name, value]
  } catch {
    return [name, inspect(value)]
  }
}

/**
 * The same logger, but one that throws or rejects fails nobody else: a delivery that is committed is still answered 200,
 * and a refusal does not become an unhandled rejection. The first failure is a warning of the process.
 */
export function guardLogger(log: Logger): Logger {
  let isWarned = false
  const warn = (error: unknown) => {
    if (isWarned) return
    isWarned = true
    process.emitWarning(`The logger failed, and log lines are missing: ${inspect(error)}`, 'ClerkSyncWarning')
  }
  const guarded = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      const result: unknown = log[level](fields, message)
      if (result instanceof Promise) result.catch(warn)
    } catch (error) {
      warn(error)
    }
  }
  return {
    debug: guarded('debug'),
    info: guarded('info'),
    warn: guarded('warn'),
    error: guarded('error'),
  }
}
