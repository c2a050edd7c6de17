/** A run: one handler with one event. */

import type { Change, EventSource, FailedAttempt, Outcome } from '../database/tables.ts'
import type { RunKey } from '../ingest/handler-port.ts'

export type { NewRun, RunKey } from '../ingest/handler-port.ts'

/** A run that this process claimed, with the input of its handler. */
export interface ClaimedRun extends RunKey {
  readonly claim: string
  readonly worker: string
  readonly attempt: number
  readonly orderKey: string | null
  /** When it was due, as text: a Date would lose the microseconds. */
  readonly dueAt: string
  readonly claimedAt: Date
  readonly history: readonly FailedAttempt[]
  readonly type: string
  readonly resource: string | null
  readonly resourceId: string | null
  readonly outcome: Outcome
  /** When the event was stored: names the partition of its body. */
  readonly receivedAt: Date
  readonly changes: Record<string, Change> | null
  readonly source: EventSource
  /** The span of the delivery that brought the event, if it was traced. */
  readonly traceparent: string | null
  readonly body: Uint8Array | null
  /** The event holds secrets that are deleted after its last run. */
  readonly hasSecrets: boolean
  readonly secretsForgotten: boolean
  /** The row that the event is about, as it is now. */
  readonly row: object | null
}

/** How a try failed. */
export interface FailedRun {
  readonly run: ClaimedRun
  readonly error: string
  readonly fingerprint: string
  /** Seconds until the next try; undefined if there is none. */
  readonly delay: number | undefined
}

/** How many failed tries are kept of a run. */
export const MAX_HISTORY = 10

export interface KeyRow {
  event_id: string
  handler: string
}

export interface DueRow extends KeyRow {
  due_at: Date
}

export interface ClaimedRow extends KeyRow {
  claim: string
  worker: string
  attempts: number
  order_key: string | null
  due: string
  claimed_at: Date
  history: FailedAttempt[] | null
  type: string
  resource: string | null
  resource_id: string | null
  outcome: Outcome
  source: EventSource
  traceparent: string | null
  received_at: Date
  secret_body: Uint8Array | null
  secrets_forgotten: boolean
}

/** Names a run in a set. Neither part holds a space. */
export function nameOf({ eventId, handler }: RunKey): string {
  return `${handler} ${eventId}`
}

export function toKey(row: KeyRow): RunKey {
  return { eventId: row.event_id, handler: row.handler }
}

/** What belongs to its event is still missing. */
export function toClaimedRun(row: ClaimedRow): ClaimedRun {
  return {
    ...toKey(row),
    claim: row.claim,
    worker: row.worker,
    attempt: row.attempts,
    orderKey: row.order_key,
    dueAt: row.due,
    claimedAt: row.claimed_at,
    history: row.history ?? [],
    type: row.type,
    resource: row.resource,
    resourceId: row.resource_id,
    outcome: row.outcome,
    receivedAt: row.received_at,
    changes: null,
    source: row.source,
    traceparent: row.traceparent,
    body: row.secret_body,
    hasSecrets: row.secret_body !== null,
    secretsForgotten: row.secrets_forgotten,
    row: null,
  }
}

/** Event ids and handlers, as the arrays that statements take. */
export function columnsOf(keys: readonly RunKey[]): [eventIds: string[], handlers: string[]] {
  return [keys.map(({ eventId }) => eventId), keys.map(({ handler }) => handler)]
}

/** The same with the claims before them. */
export function claimsOf(runs: readonly ClaimedRun[]): unknown[] {
  return [runs.map(({ claim }) => claim), ...columnsOf(runs)]
}
