/**
 * Clerk's rate limit: a number of requests per time window for the whole instance. A client that exceeds it is refused
 * at that endpoint until `Retry-After` has passed.
 */

import type { Environment } from './lists.ts'

export interface RateLimit {
  /** How many requests are answered in a span. Clerk: 1000 in production, 100 in development. */
  readonly requests: number
  /** The span, in milliseconds. Clerk: 10,000. */
  readonly perMs: number
}

/** Clerk's own. */
export const RATE_LIMITS: Readonly<Record<Environment, RateLimit>> = {
  production: { requests: 1_000, perMs: 10_000 },
  development: { requests: 100, perMs: 10_000 },
}

export class RateLimiter {
  readonly #limit: RateLimit
  /** When the requests of the last span were answered. */
  #answered: number[] = []
  /** Until when an endpoint is blocked. */
  readonly #blocked = new Map<string, number>()

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /**
   * Takes a request, or says after how many seconds it may come again.
   * @param now in milliseconds, by any clock that only moves forward
   */
  take(endpoint: string, now: number): number | undefined {
    const blockedUntil = this.#blocked.get(endpoint) ?? now
    if (blockedUntil > now) return secondsUntil(blockedUntil, now)
    const { requests, perMs } = this.#limit
    this.#answered = this.#answered.filter((at) => at > now - perMs)
    if (this.#answered.length < requests) {
      this.#answered.push(now)
      return undefined
    }
    const seconds = secondsUntil((this.#answered[0] as number) + perMs, now)
    this.#blocked.set(endpoint, now + seconds * 1_000)
    return seconds
  }
}

/** `Retry-After` has whole seconds, at least one. */
function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil((time - now) / 1_000))
}
