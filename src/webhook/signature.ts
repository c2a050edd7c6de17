/**
 * The signature of a delivery: HMAC-SHA256 over `id.timestamp.body`, base64, in a list of `v1,<signature>` entries.
 * https://docs.svix.com/receiving/verifying-payloads/how-manual
 */

import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Message } from './headers.ts'

const VERSION = 'v1,'

/**
 * Whether any of the keys made any of the message's signatures over exactly these bytes.
 *
 * The list has one entry per valid secret of the sender while it rotates them. Entries of other versions and
 * malformed ones are skipped, so that they cannot hide a good one.
 */
export function isSigned(message: Message, body: Uint8Array, keys: readonly KeyObject[]): boolean {
  const { id, timestamp, signature } = message
  return isSignedContent(signature, prefixOf(id, timestamp), body, keys)
}

/** As {@link isSigned}, with anything before the body. */
export function isSignedContent(
  header: string,
  prefix: string,
  body: Uint8Array,
  keys: readonly KeyObject[],
): boolean {
  const candidates = readSignatures(header)
  return keys.some((key) => {
    const expected = Buffer.from(hmac(prefix, body, key))
    return candidates.reduce((found, candidate) => isEqual(candidate, expected) || found, false)
  })
}

/** The base64 signature of a message. */
export function sign(id: string, timestamp: number, body: Uint8Array, key: KeyObject): string {
  return hmac(prefixOf(id, timestamp), body, key)
}

/** What is signed before the body. */
export function prefixOf(id: string, timestamp: number): string {
  return `${id}.${timestamp}.`
}

function hmac(prefix: string, body: Uint8Array, key: KeyObject): string {
  return createHmac('sha256', key).update(prefix).update(body).digest('base64')
}

/** The text is compared, not the decoded bytes: many texts decode to the same bytes. */
function readSignatures(header: string): Buffer[] {
  return header
    .split(' ')
    .filter((entry) => entry.startsWith(VERSION))
    .map((entry) => {
      // HTTP joins repeated headers with ", ", which leaves a comma at the end of an entry.
      const signature = entry.endsWith(',') ? entry.slice(VERSION.length, -1) : entry.slice(VERSION.length)
      return Buffer.from(signature)
    })
}

function isEqual(a: Buffer, b: Buffer): boolean {
  // timingSafeEqual throws on different lengths; the length of a signature is no secret.
  return a.length === b.length && timingSafeEqual(a, b)
}
