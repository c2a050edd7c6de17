/** Values of options as people may see them: nothing that lets its reader in. */

import { ClerkSyncError } from '../errors.ts'
import { parseSecret } from '../webhook/secret.ts'

/** Enough of a secret to recognise it by, in Clerk's dashboard and beside others. */
const SHOWN_CHARACTERS = 4
const HIDDEN = '…'

/** `whsec_…kP3a`, or the code of what is wrong with it. */
export function redactSecret(secret: string): string {
  try {
    parseSecret(secret)
  } catch (error) {
    return error instanceof ClerkSyncError ? error.code : HIDDEN
  }
  const end = secret.trim().replace(/=+$/, '').slice(-SHOWN_CHARACTERS)
  return `${secret.trim().startsWith('whsec_') ? 'whsec_' : ''}${HIDDEN}${end}`
}

/** `sk_live_…kP3a`; empty if there is none. */
export function redactKey(key: string): string {
  const [prefix = ''] = /^sk_(live|test)_/.exec(key) ?? []
  return key === '' ? '' : `${prefix}${HIDDEN}${key.slice(-SHOWN_CHARACTERS)}`
}

/** The address of a database without its password. A folder stays as it is. */
function redactAddress(address: string): string {
  if (!address.includes('://')) return /password\s*=/i.test(address) ? HIDDEN : address
  const hidden = `${address.slice(0, address.indexOf('://'))}://${HIDDEN}`
  if (!URL.canParse(address)) return hidden
  const url = new URL(address)
  // A password with a character that ends the host, and that should have been escaped.
  if (`${url.pathname}${url.search}${url.hash}`.includes('@')) return hidden
  if (url.password !== '') url.password = HIDDEN
  for (const name of url.searchParams.keys()) if (isSecretName(name)) url.searchParams.set(name, HIDDEN)
  return decodeHidden(url.href)
}

/** Any value, as JSON can hold it: functions by what they are, and what is named like a secret not at all. */
export function redactValue(value: unknown, name = ''): unknown {
  if (isSecretName(name) && value !== undefined) return HIDDEN
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return redactAddress(value)
  if (Array.isArray(value)) return value.map((entry) => redactValue(entry))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, redactValue(entry, key)]))
}

function isSecretName(name: string): boolean {
  return /passw|secret|token|^(ssl)?key$/i.test(name)
}

function decodeHidden(text: string): string {
  return text.replaceAll(encodeURIComponent(HIDDEN), HIDDEN)
}
