/**
 * The header of a probe without a signed body, which asks whether a route refuses it. Such a refusal is no trouble that
 * has to be counted. The header is signed, so that nobody else's requests can be hidden from the counts.
 */

import { type Message, type RequestHeaders, readHeader } from './headers.ts'
import { parseSecret, type SigningSecret } from './secret.ts'
import { isSigned, sign } from './signature.ts'

const PROBE_HEADER = 'clerk-sync-probe'
/** Signed in place of a message's id. Ids have no dot, so that no signature of a delivery fits. */
const ID = 'clerk-sync.probe'
const NOTHING = new Uint8Array()
/** A copied header is worth nothing after this. */
const MAX_AGE_SECONDS = 300

/** The header that proves a probe: `<seconds since 1970> v1,<signature>`. */
export function probeHeaders(secret: string, now: number): Record<string, string> {
  const timestamp = Math.floor(now / 1000)
  return { [PROBE_HEADER]: `${timestamp} v1,${sign(ID, timestamp, NOTHING, parseSecret(secret).key)}` }
}

/** Whether a request has the header, made with one of the secrets in the last minutes. */
export function isProbe(headers: RequestHeaders, secrets: readonly SigningSecret[], now: number): boolean {
  const [, time, signature] = /^(\d{1,15}) (v1,\S+)$/.exec(readHeader(headers, PROBE_HEADER) ?? '') ?? []
  if (time === undefined || signature === undefined) return false
  const message: Message = { id: ID, timestamp: Number(time), signature, contentLength: undefined }
  const isRecent = Math.abs(Math.floor(now / 1000) - message.timestamp) <= MAX_AGE_SECONDS
  const keys = secrets.map(({ key }) => key)
  return isRecent && isSigned(message, NOTHING, keys)
}
