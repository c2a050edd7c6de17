/**
 * Logs refused requests without letting a flood of them flood the log. The sender gets a code and a reference to the
 * log line.
 */

import { randomBytes } from 'node:crypto'
import type { ClerkSyncError } from './errors.ts'
import type { Logger } from './log.ts'

/** The first refusal of a kind is logged at once; those of the next seconds are counted in one line. */
const QUIET_MS = 10_000

/** A logged line that also stands for refusals of its kind in the next seconds. */
interface Line {
  readonly reference: string
  /** How many refusals of its kind were not logged since. */
  unlogged: number
}

export class RefusalLog {
  readonly #log: Logger
  /** By kind. */
  readonly #lines = new Map<string, Line>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Returns the reference of the log line for it. */
  add(error: ClerkSyncError): string {
    const kind = `${error.code} ${error.mismatchCause ?? ''}`
    const line = this.#lines.get(kind)
    if (line === undefined) return this.#write(error, kind)
    line.unlogged++
    return line.reference
  }

  #write(error: ClerkSyncError, kind: string, reference = createReference(), again = 0): string {
    const line = { reference, unlogged: 0 }
    this.#lines.set(kind, line)
    const { code, status, message, remedy, mismatchCause } = error
    const level = status >= 500 ? 'error' : 'warn'
    const fields = { code, status, message, remedy, ...(mismatchCause && { mismatchCause }), ref: reference }
    this.#log[level]({ ...fields, ...causeOf(error), ...(again > 0 && { again }) }, 'delivery refused')
    setTimeout(() => {
      this.#lines.delete(kind)
      if (line.unlogged > 0) this.#write(error, kind, reference, line.unlogged)
    }, QUIET_MS).unref()
    return reference
  }
}

function createReference(): string {
  return `rej_${randomBytes(6).toString('hex')}`
}

/** Only an unexpected error's cause says something that the code does not. */
function causeOf({ code, cause }: ClerkSyncError): object {
  return code === 'internal_error' ? { cause: cause instanceof Error ? cause.stack : String(cause) } : {}
}
