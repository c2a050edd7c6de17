/** Numbers, times and names as people read them. What is not known is “–”, never 0. */

import type { Quantity, Time } from './api.ts'

const NUMBER = new Intl.NumberFormat('en')
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const CLOCK_SHORT = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })

export const UNKNOWN = '–'

export function number(value: number | null): string {
  return value === null ? UNKNOWN : NUMBER.format(value)
}

/** `≈ 1,204,118`, `10,000+`, `–`. */
export function quantity({ value, isEstimate, isAtLeast }: Quantity): string {
  if (value === null) return UNKNOWN
  return `${isEstimate ? '≈ ' : ''}${NUMBER.format(value)}${isAtLeast ? '+' : ''}`
}

/** The sum, as uncertain as its least certain part. */
export function total(...quantities: readonly Quantity[]): Quantity {
  return {
    value: quantities.some(({ value }) => value === null)
      ? null
      : quantities.reduce((sum, { value }) => sum + (value ?? 0), 0),
    isEstimate: quantities.some(({ isEstimate }) => isEstimate),
    isAtLeast: quantities.some(({ isAtLeast }) => isAtLeast),
  }
}

/** `1 event`, `2 events`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(value)} ${value === 1 ? one : many}`
}

/** As {@link count}; whatever is not exactly one is many. */
export function countOf(value: Quantity, one: string, many = `${one}s`): string {
  return `${quantity(value)} ${value.value === 1 && !value.isAtLeast ? one : many}`
}

/** `14:31:07` today, `23 Nov 14:31` on another day. */
export function time(at: Time, now = Date.now()): string {
  const date = new Date(at)
  return isSameDay(date, new Date(now))
    ? CLOCK.format(date)
    : `${DAY.format(date)} ${CLOCK_SHORT.format(date)}`
}

/** `14:30`; at midnight the day, `23 Nov`. */
export function tickText(at: Time): string {
  const date = new Date(at)
  return date.getHours() === 0 && date.getMinutes() === 0 ? DAY.format(date) : CLOCK_SHORT.format(date)
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString()
}

/** `24 Nov 2026, 14:31:07 CET`, for the title of a time. */
export function fullTime(at: Time): string {
  return `${FULL.format(new Date(at))}\n${at}`
}

/** `14:31:07.120`. */
export function preciseTime(at: Time): string {
  const date = new Date(at)
  return `${CLOCK.format(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** `4s ago`, `in 4m 12s`. */
export function distance(at: Time, now = Date.now()): string {
  const milliseconds = new Date(at).getTime() - now
  const text = coarse(Math.floor(Math.abs(milliseconds) / 1_000) * 1_000)
  if (text === undefined) return 'now'
  return milliseconds > 0 ? `in ${text}` : `${text} ago`
}

/** `29m`: how long ago something began. */
export function age(since: Time, now: number): string {
  return coarse(Math.max(1_000, now - Date.parse(since))) ?? ''
}

/** From ten minutes or hours on, the smaller unit is dropped; undefined below a second. */
function coarse(milliseconds: number): string | undefined {
  if (milliseconds < 1_000) return undefined
  const [first = '', rest = ''] = duration(milliseconds).split(' ')
  return Number.parseInt(first, 10) >= 10 ? first : `${first} ${rest}`.trim()
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** `8 ms`, `2.0 s`, `4m 12s`, `3h 5m`, `12d`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 10_000 && milliseconds % 1_000 !== 0) return `${(milliseconds / 1_000).toFixed(1)} s`
  const first = UNITS.findIndex(([, size]) => milliseconds >= size)
  const [unit, size] = UNITS[first] ?? UNITS[3]
  const [smaller, smallerSize] = UNITS[first + 1] ?? ['', 0]
  const rest = smallerSize && Math.floor((milliseconds % size) / smallerSize)
  return `${Math.floor(milliseconds / size)}${unit}${rest && unit !== 'd' ? ` ${rest}${smaller}` : ''}`
}

/** `812 B`, `2.1 KB`. */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`
  return value < 1_000_000 ? `${(value / 1_000).toFixed(1)} KB` : `${(value / 1_000_000).toFixed(1)} MB`
}

/** `organization_memberships` → `organization memberships`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ')
}

/** `users` → `Users`. */
export function title(name: string): string {
  const text = words(name)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Null, an empty text, list or object: folded away where values are listed. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** A moment as JSON and Postgres write it. */
export function isMoment(value: unknown): value is Time {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value)
}

/** A value of a row or a payload on one line: a date as it is, an object as JSON. */
export function inline(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return typeof value === 'string' ? `"${value}"` : JSON.stringify(value)
}
