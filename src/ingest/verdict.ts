/** The verdict on an event or on an observation of the Backend API. */

import type { Change, Outcome } from '../database/tables.ts'
import type { Reason } from '../explanations/reasons.ts'

export interface Verdict {
  readonly outcome: Outcome
  readonly reason: Reason | null
  /** The fields that changed, with what they were before. */
  readonly changes: Readonly<Record<string, Change>> | null
  /** Their JSON, if JavaScript would round a number in it. */
  readonly exactChanges?: Uint8Array | undefined
  /** Why it failed. */
  readonly error?: string | undefined
}

/** The result of a delivery. */
export interface Receipt {
  readonly svixId: string
  /** Null if the body was no event. */
  readonly type: string | null
  /** The table it is about; null for a type that this version does not know. */
  readonly resource: string | null
  readonly resourceId: string | null
  readonly outcome: Outcome | 'duplicate'
  readonly reason: Reason | null
  /** The fields that the event changed, with what they were before. */
  readonly changes: Readonly<Record<string, Change>> | null
}
