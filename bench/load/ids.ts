/** Ids as Clerk and Svix make them: a prefix, the time, and chance (KSUIDs). They arrive nearly sorted, as in production. */

import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const TIME_DIGITS = 6

export function newId(prefix: string): string {
  const chance = randomBytes(16).toString('base64url').replace(/[-_]/g, 'z')
  return `${prefix}_${timeDigits(Math.floor(Date.now() / 1000))}${chance}`
}

function timeDigits(seconds: number): string {
  let digits = ''
  for (let rest = seconds; digits.length < TIME_DIGITS; rest = Math.floor(rest / DIGITS.length)) {
    digits = DIGITS[rest % DIGITS.length] + digits
  }
  return digits
}
