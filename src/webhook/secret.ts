/** Signing secrets: `whsec_` and base64, as Clerk's dashboard shows them. A malformed one is refused at start. */

import { createSecretKey, type KeyObject } from 'node:crypto'
import { ClerkSyncError, ERRORS } from '../errors.ts'

const PREFIX = 'whsec_'
/** Below this, forging by guessing is conceivable. The Standard Webhooks spec wants 24; Svix's own docs print one of 18. */
const MIN_BYTES = 16
const USUAL_BYTES = 24

export interface SigningSecret {
  /** A key object: an HMAC with one costs a fifth of an HMAC with the key's bytes. */
  readonly key: KeyObject
  /** What is odd about the secret, for the start log. Never holds any of it. */
  readonly warnings: readonly string[]
}

/** A signing secret, and the Clerk instance it is bound to; null if to none. */
export interface BoundSecret extends SigningSecret {
  readonly instanceId: string | null
}

/**
 * Reads one signing secret.
 * @throws {ClerkSyncError} `secret_…`, naming the fault without showing the value
 */
export function parseSecret(text: string): SigningSecret {
  const secret = text.trim()
  if (secret === '') throw new ClerkSyncError('secret_missing')
  if (/^["'`]|["'`]$/.test(secret)) throw new ClerkSyncError('secret_quoted')
  if (/^[sp]k_(test|live)_/.test(secret)) throw new ClerkSyncError('secret_is_api_key')

  const bytes = decodeKey(withoutPrefix(secret))
  if (bytes.length < MIN_BYTES) throw new ClerkSyncError('secret_too_short', `it has ${bytes.length} bytes`)

  const warnings = []
  if (secret !== text) warnings.push('The signing secret has white space around it, which is ignored.')
  if (bytes.length < USUAL_BYTES)
    warnings.push(`The signing secret has ${bytes.length} bytes; Clerk’s have 24.`)
  return { key: createSecretKey(bytes), warnings }
}

/**
 * That no secret is configured, with the variables that hold what may be it.
 * @param others the values of other variables by their names
 */
export function missingSecret(others: ReadonlyMap<string, string>): ClerkSyncError {
  const names = [...others].filter(([, value]) => LIKE_A_SECRET.test(value)).map(([name]) => name)
  if (names.length === 0) return new ClerkSyncError('secret_missing')
  const verb = names.length === 1 ? 'holds' : 'hold'
  return new ClerkSyncError(
    'secret_missing',
    `${names.join(' and ')} ${verb} a whsec_ value, under a name that is not read`,
    {
      remedy: `If it is this endpoint’s secret, rename the variable to CLERK_WEBHOOK_SIGNING_SECRET. ${ERRORS.secret_missing.remedy}`,
    },
  )
}

/** In a shell's or container's file the quotes may have become part of the value. */
const LIKE_A_SECRET = /^["'`\s]*whsec_/

function withoutPrefix(secret: string): string {
  if (secret.startsWith(PREFIX)) return secret.slice(PREFIX.length)
  // Without a prefix it may be the bare base64, which has no underscore.
  if (/^[A-Za-z]+_/.test(secret)) throw new ClerkSyncError('secret_bad_prefix')
  return secret
}

/** Strict: Node's own base64 decoder takes anything and would turn a damaged secret into a wrong key. */
function decodeKey(text: string): Buffer {
  const digits = text.replace(/={0,2}$/, '')
  if (digits === '') throw new ClerkSyncError('secret_empty')
  const bytes = Buffer.from(digits, 'base64')
  const isCanonical = bytes.toString('base64').replace(/=+$/, '') === digits
  if (!isCanonical) throw new ClerkSyncError('secret_bad_base64')
  if (/^(.)\1*$/.test(digits) && bytes.length >= MIN_BYTES) throw new ClerkSyncError('secret_low_entropy')
  return bytes
}
