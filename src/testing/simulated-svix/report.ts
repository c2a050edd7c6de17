/** What a simulated Svix has sent, with the results. */

/** The status of the answer, or why there was none. */
export type AttemptStatus = number | 'timeout' | 'no_answer' | 'stopped'

export interface Attempt {
  readonly at: Date
  /**
   * - `delivery`: the message, the first time or again because it was not accepted
   * - `duplicate`: the message, again although it was accepted
   * - `forgery`: somebody else's request with the message's id, which must be refused
   */
  readonly kind: 'delivery' | 'duplicate' | 'forgery'
  readonly status: AttemptStatus
  /** Why there was no answer, if something was thrown. */
  readonly error?: unknown
}

export interface MessageReport {
  readonly svixId: string
  /** The event's type. */
  readonly type: string
  /** In the order in which they ended. */
  readonly attempts: readonly Attempt[]
  /** `exhausted`: Svix has given up. */
  readonly state: 'pending' | 'accepted' | 'exhausted'
}

export interface DeliveryTotals {
  readonly messages: number
  readonly accepted: number
  readonly exhausted: number
  /** Deliveries and duplicates, not forgeries. */
  readonly attempts: number
  readonly duplicates: number
  /** Messages that were overtaken by a later one before their first attempt. */
  readonly reordered: number
  readonly forgeries: number
  /** Forgeries that were answered 4xx, as they must be. */
  readonly forgeriesRefused: number
}

export interface DeliveryReport {
  /** In the order of sending. */
  readonly messages: readonly MessageReport[]
  readonly totals: DeliveryTotals
}

export function isAccepted(status: AttemptStatus): boolean {
  return typeof status === 'number' && status >= 200 && status < 300
}

function isRefused(status: AttemptStatus): boolean {
  return typeof status === 'number' && status >= 400 && status < 500
}

export function reportOn(messages: readonly MessageReport[], reordered: number): DeliveryReport {
  const attempts = messages.flatMap((message) => message.attempts)
  const forgeries = attempts.filter(({ kind }) => kind === 'forgery')
  const totals = {
    messages: messages.length,
    accepted: messages.filter(({ state }) => state === 'accepted').length,
    exhausted: messages.filter(({ state }) => state === 'exhausted').length,
    attempts: attempts.length - forgeries.length,
    duplicates: attempts.filter(({ kind }) => kind === 'duplicate').length,
    reordered,
    forgeries: forgeries.length,
    forgeriesRefused: forgeries.filter(({ status }) => isRefused(status)).length,
  }
  return { messages, totals }
}
