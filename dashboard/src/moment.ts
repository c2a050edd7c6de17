/** Moments as people write them in a filter or an address. */

import type { Time } from './api.ts'

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The moment that `24h` or an ISO time means; undefined for anything else. */
export function momentOf(text: string, now: number): Time | undefined {
  const [, amount, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? []
  if (amount && unit) {
    // To whole minutes: the same question is asked for the same range.
    const moment = now - Number(amount) * (UNITS[unit] ?? 0)
    return new Date(Math.floor(moment / 60_000) * 60_000).toISOString()
  }
  const parsed = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(parsed) ? undefined : new Date(parsed).toISOString()
}
