/** A log for trouble that repeats: the first line of a kind is written at once, the others of the next seconds as a number. */

import type { Logger } from '../log.ts'

const QUIET_MS = 10_000
/** Messages hold no values, so that there are few of them; this bounds the rest. */
const MAX_KINDS = 100

type Level = keyof Logger

export function limited(log: Logger, quietMs = QUIET_MS): Logger {
  const repeated = new Map<string, number>()
  const write = (level: Level) => (fields: object, message: string) => {
    const kind = `${level} ${message}`
    const count = repeated.get(kind)
    if (count !== undefined) return void repeated.set(kind, count + 1)
    log[level](fields, message)
    if (repeated.size < MAX_KINDS) quiet(level, fields, message, kind)
  }
  const quiet = (level: Level, fields: object, message: string, kind: string) => {
    repeated.set(kind, 0)
    setTimeout(() => {
      const again = repeated.get(kind) ?? 0
      repeated.delete(kind)
      if (again === 0) return
      log[level]({ ...fields, again }, message)
      quiet(level, fields, message, kind)
    }, quietMs).unref()
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
