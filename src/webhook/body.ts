/** The body of a delivery: its exact bytes, whatever it came in, within limits. */

import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { ClerkSyncError } from '../errors.ts'

/** The bytes that arrived, a stream of them, or text that was decoded from them without loss. Never a parsed object. */
export type RawBody = Uint8Array | ArrayBuffer | string | AsyncIterable<Uint8Array>

export interface BodyLimits {
  readonly maxBodyBytes: number
  /** Told of every byte that is taken into memory; throws to refuse it. */
  readonly hold: (bytes: number) => void
}

/**
 * The exact bytes of a body.
 * @param declaredLength the Content-Length, if there is one; a body declared too large is not read at all
 * @throws {ClerkSyncError} `body_…`, or what `hold` throws
 */
export async function readBody(
  body: RawBody,
  declaredLength: number | undefined,
  { maxBodyBytes, hold }: BodyLimits,
): Promise<Uint8Array> {
  let length = 0
  const count = (bytes: number) => {
    length += bytes
    if (length > maxBodyBytes)
      throw new ClerkSyncError('body_too_large', `the limit is ${maxBodyBytes} bytes`)
    hold(bytes)
  }
  if (declaredLength !== undefined && declaredLength > maxBodyBytes) count(declaredLength)
  const bytes = isStream(body) ? await readStream(body, count) : toBytes(body, count)
  if (bytes.byteLength === 0) throw emptyBody(declaredLength)
  // Verifiers that decode before hashing turn invalid bytes into U+FFFD: many bodies then share one signature.
  if (!isUtf8(bytes)) throw new ClerkSyncError('body_not_utf8')
  return bytes
}

function isStream(body: RawBody): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

/** Counts while reading, so that an oversized body is refused as it arrives. */
async function readStream(
  stream: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): Promise<Uint8Array> {
  if ('locked' in stream && stream.locked) throw alreadyParsed('its stream was read before')
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) {
      // A stream with an encoding gives text, in which invalid bytes have become U+FFFD.
      if (!types.isUint8Array(chunk)) throw alreadyParsed(`its stream gives ${typeof chunk}s, not bytes`)
      count(chunk.byteLength)
      chunks.push(chunk)
    }
  } catch (cause) {
    throw cause instanceof ClerkSyncError
      ? cause
      : new ClerkSyncError('body_incomplete', undefined, { cause })
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

/** By brand, not by class: Jest and other sandboxes have a `Uint8Array` of their own. */
function toBytes(body: unknown, count: (bytes: number) => void): Uint8Array {
  const bytes = asBytes(body)
  count(bytes.byteLength)
  return bytes
}

function asBytes(body: unknown): Uint8Array {
  if (types.isUint8Array(body)) return body
  if (typeof body === 'string') return Buffer.from(body)
  if (types.isAnyArrayBuffer(body)) return new Uint8Array(body)
  throw alreadyParsed(`got ${body === null ? 'null' : typeof body}`)
}

function alreadyParsed(detail: string): ClerkSyncError {
  return new ClerkSyncError('body_already_parsed', detail)
}

function emptyBody(declaredLength: number | undefined): ClerkSyncError {
  if (!declaredLength) return new ClerkSyncError('body_empty')
  return alreadyParsed(`of ${declaredLength} bytes, none were left to read`)
}
