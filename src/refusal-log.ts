/** Tells of refused requests without letting a flood of them flood the log. */

import type { ClerkSyncError, ErrorCode } from './errors.ts'
import type { Logger } from './log.ts'

/** The first refusal of a kind is told at once, the others of the next seconds by their number. */
const QUIET_MS = 10_000

export class RefusalLog {
  readonly #log: Logger
  /** How many were not told since the last one of their kind. */
  readonly #untold = new Map<ErrorCode, number>()

  constructor(log: Logger) {
    this.#log = log
  }

  add(error: ClerkSyncError): void {
    const untold = this.#untold.get(error.code)
    if (untold === undefined) this.#tell(error)
    else this.#untold.set(error.code, untold + 1)
  }

  #tell(error: ClerkSyncError, again = 0): void {
    this.#untold.set(error.code, 0)
    const { code, status, message, remedy } = error
    const level = status >= 500 ? 'error' : 'warn'
    const fields = { code, status, message, remedy, ...causeOf(error), ...(again > 0 && { again }) }
    this.#log[level](fields, 'delivery refused')
    setTimeout(() => {
      const count = this.#untold.get(code) ?? 0
      this.#untold.delete(code)
      if (count > 0) this.#tell(error, count)
    }, QUIET_MS).unref()
  }
}

/** Only an unexpected error's cause says something that the code does not. */
function causeOf({ code, cause }: ClerkSyncError): object {
  return code === 'internal_error' ? { cause: cause instanceof Error ? cause.stack : String(cause) } : {}
}
