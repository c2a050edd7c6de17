/**
 * When Clerk was asked, by Clerk's clock: what it shows is compared with the times of its events.
 *
 * This machine's clock counts milliseconds but may be wrong; the `Date` of the answer is Clerk's but counts seconds. So
 * this machine's time is taken if the answer's date allows it, and else the earliest that the date allows.
 */

const SECOND = 1_000

/**
 * @param startedAt when the request was sent, by this machine's clock, in milliseconds since 1970
 * @param tookMs how long the answer took
 */
export function askedAt(startedAt: number, tookMs: number, dateHeader: string | null): Date {
  const answeredAt = Date.parse(dateHeader ?? '')
  if (Number.isNaN(answeredAt)) return new Date(startedAt)
  const earliest = Math.floor(answeredAt - tookMs)
  const isPlausible = startedAt >= earliest && startedAt < answeredAt + SECOND
  return new Date(isPlausible ? startedAt : earliest)
}
