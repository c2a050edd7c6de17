/** What an answer of the Backend API that is no success means, and what to do about it. */

import { ClerkSyncError } from '../../errors.ts'
import { isObject } from '../event.ts'
import { listOf } from '../resource.ts'

/** There is no such resource, or no such list. */
export class NotFound extends Error {
  readonly observedAt: Date

  constructor(message: string, observedAt: Date) {
    super(message)
    this.observedAt = observedAt
  }
}

/** Too many requests: try again after so long. */
export class Throttled extends Error {
  readonly waitMs: number

  constructor(waitMs: number) {
    super('throttled')
    this.waitMs = waitMs
  }
}

/** It may work the next time. */
export class Transient extends Error {}

/** Clerk's limit counts ten seconds. */
const USUAL_WAIT_MS = 10_000
const LONGEST_WAIT_MS = 120_000

/**
 * The error that an answer without success is.
 * @param request its method and path
 */
export function toFailure(
  request: string,
  { status, headers }: Response,
  body: Uint8Array,
  observedAt: Date,
): Error {
  const code = errorCode(body)
  const detail = `${request} → ${status}${code ? ` ${code}` : ''}`
  if (status === 429) return new Throttled(waitOf(headers))
  if (status >= 500 || status === 408) return new Transient(detail)
  if (status === 401) return new ClerkSyncError('api_key_refused', detail)
  if (status === 402 || isSwitchedOff(status, code)) return new ClerkSyncError('api_feature_off', detail)
  if (status === 404) return isAbsence(code) ? new NotFound(detail, observedAt) : new Transient(detail)
  return new ClerkSyncError('api_refused', detail)
}

function isSwitchedOff(status: number, code: string): boolean {
  return (status === 400 || status === 403 || status === 404) && /_not_enabled|feature_/.test(code)
}

/** Rows are deleted for it, so that Clerk itself must have said it: an ingress or a wrong address answers 404 too. */
function isAbsence(code: string): boolean {
  return code.includes('not_found')
}

/** Clerk's errors are `{ errors: [{ code, message }] }`. Anything else, an error page for instance, has none. */
function errorCode(body: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    const code = isObject(value) ? listOf(value.errors)[0]?.code : undefined
    return typeof code === 'string' ? code.replace(/\W/g, '').slice(0, 80) : ''
  } catch {
    return ''
  }
}

/** `Retry-After` in seconds. */
function waitOf(headers: Headers): number {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return seconds > 0 ? Math.min(seconds * 1_000, LONGEST_WAIT_MS) : USUAL_WAIT_MS
}
