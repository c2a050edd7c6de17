/** Checks numbers and ids that come from outside, and names what is wrong with them. */

import { ClerkSyncError } from './errors.ts'

/** Timers with a longer delay fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

interface NumberRule {
  readonly isValid: (value: number) => boolean
  /** What the number must be, as in "perSecond must be …". */
  readonly text: string
}

const NUMBER_RULES = {
  /** A rate or limit that may be switched off. */
  rate: { isValid: (value) => value > 0, text: 'a number above 0' },
  positive: { isValid: (value) => Number.isFinite(value) && value > 0, text: 'a number above 0' },
  count: { isValid: (value) => Number.isSafeInteger(value) && value > 0, text: 'a whole number above 0' },
  limit: { isValid: (value) => value >= 0, text: 'a number, 0 or more' },
  milliseconds: {
    isValid: (value) => value > 0 && value <= MAX_TIMER_MS,
    text: `a number above 0, at most ${MAX_TIMER_MS} (24 days)`,
  },
  duration: {
    isValid: (value) => value >= 0 && value <= MAX_TIMER_MS,
    text: `a number from 0 to ${MAX_TIMER_MS} (24 days)`,
  },
  seconds: {
    isValid: (value) => value > 0 && value * 1_000 <= MAX_TIMER_MS,
    text: `a number above 0, at most ${Math.floor(MAX_TIMER_MS / 1_000)} (24 days)`,
  },
} as const satisfies Record<string, NumberRule>

export type NumberKind = keyof typeof NUMBER_RULES

/** What is wrong with a number; undefined if nothing is. */
export function numberFault(
  name: string,
  value: unknown,
  kind: NumberKind,
  most = Number.POSITIVE_INFINITY,
): string | undefined {
  const { isValid, text }: NumberRule = NUMBER_RULES[kind]
  if (typeof value === 'number' && isValid(value) && value <= most) return undefined
  return `${name} must be ${text}${most === Number.POSITIVE_INFINITY ? '' : `, at most ${most}`}`
}

/** @throws {ClerkSyncError} `option_invalid`, naming the option */
export function requireNumber(name: string, value: number, kind: NumberKind): number {
  const fault = numberFault(name, value, kind)
  if (fault) throw new ClerkSyncError('option_invalid', fault)
  return value
}

/**
 * Checks every number of a set of options; those that are not given are left to their defaults.
 * @throws {ClerkSyncError} `option_invalid`, naming the option
 */
export function requireNumbers<Options extends object>(
  options: Options,
  kinds: Readonly<Partial<Record<keyof Options & string, NumberKind>>>,
): void {
  for (const [name, kind] of Object.entries<NumberKind | undefined>(kinds)) {
    const value = options[name as keyof Options]
    if (value !== undefined && kind) requireNumber(name, value as number, kind)
  }
}

/** @throws {ClerkSyncError} `option_invalid`, naming the option */
export function requireDates(dates: Readonly<Record<string, Date | undefined>>): void {
  for (const [name, date] of Object.entries(dates)) {
    const isDate = date === undefined || (date instanceof Date && !Number.isNaN(date.getTime()))
    if (!isDate) throw new ClerkSyncError('option_invalid', `${name} must be a valid Date`)
  }
}

/** Clerk's ids have some 30 characters. */
const MAX_ID_LENGTH = 400

/** Whether it can be an id: Postgres takes no NUL in a text. */
export function isId(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH && !value.includes('\u0000')
  )
}

/** @throws {ClerkSyncError} `id_invalid`, naming the parameter */
export function requireId(name: string, value: unknown): string {
  if (isId(value)) return value
  const given =
    value === '' ? 'empty' : typeof value === 'string' ? 'no text that an id could be' : String(value)
  throw new ClerkSyncError('id_invalid', `${name} is ${given}`)
}
