/**
 * What the webhook route answers. The bodies are constant but for a reference to the log: Svix stores them and shows them
 * in Clerk's dashboard, so they never hold data, messages or names of machines.
 */

import { ClerkSyncError } from './errors.ts'
import type { RawBody } from './webhook/body.ts'
import type { RequestHeaders } from './webhook/headers.ts'

/** A request to the webhook route, however the server represents it. */
export interface WebhookRequest {
  readonly method: string | undefined
  readonly headers: RequestHeaders
  /** The exact bytes; null if something consumed them before. */
  readonly body: RawBody | null
  /** The address of the socket's other end: the unfinished bodies of one client crowd out no other's. */
  readonly remoteAddress?: string | undefined
  /** What to change in the app if the bytes are gone, for the log. */
  readonly advice?: string
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const JSON_TYPE = { 'content-type': 'application/json' }

export const ACCEPTED: Reply = { status: 200, headers: JSON_TYPE, body: '{"ok":true}' }

/** Svix's next try after a quick refusal comes in 5 seconds; a header of another number would be bent to that. */
const RETRY_AFTER = { 'retry-after': '5' }

/** @param reference identifies the log line with the details */
export function refuse(error: ClerkSyncError, reference?: string): Reply {
  const headers = {
    ...JSON_TYPE,
    ...(error.status === 405 && { allow: 'POST' }),
    ...(error.status === 503 && RETRY_AFTER),
  }
  return { status: error.status, headers, body: JSON.stringify({ error: error.code, ref: reference }) }
}

export function toClerkSyncError(error: unknown): ClerkSyncError {
  return error instanceof ClerkSyncError
    ? error
    : new ClerkSyncError('internal_error', undefined, { cause: error })
}

/** A signed event of this type asks whether a route works: it is verified as any other, and recorded nowhere. */
export const PROBE_TYPE = 'clerk-sync.probe'
