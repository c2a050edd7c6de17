/** The body of a delivery: its exact bytes, whatever it came in, within limits. */

import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { ClerkSyncError } from '../errors.ts'
import type { ByteShare } from './byte-budget.ts'

/** The bytes that arrived, a stream of them, or text that was decoded from them without loss. Never a parsed object. */
export type RawBody = Uint8Array | ArrayBuffer | string | AsyncIterable<Uint8Array>

export interface BodyLimits {
  readonly maxBodyBytes: number
  /** Where the bytes are counted that are taken into memory. */
  readonly share?: Pick<ByteShare, 'hold' | 'onCrowdedOut'> | undefined
}

/**
 * For the whole body. Svix sends it at once and gives up after 15 seconds; a slower client only occupies memory and a
 * socket.
 */
const BODY_TIMEOUT_MS = 10_000

/**
 * The exact bytes of a body.
 * @param declaredLength the Content-Length, if there is one; a body declared too large is not read at all
 * @throws {ClerkSyncError} `body_…` or `bodies_crowded`
 */
export async function readBody(
  body: RawBody,
  declaredLength: number | undefined,
  { maxBodyBytes, share }: BodyLimits,
): Promise<Uint8Array> {
  let length = 0
  const count = (bytes: number) => {
    length += bytes
    if (length > maxBodyBytes)
      throw new ClerkSyncError('body_too_large', `the limit is ${maxBodyBytes} bytes`)
    share?.hold(bytes)
  }
  if (declaredLength !== undefined && declaredLength > maxBodyBytes) count(declaredLength)
  const bytes = isStream(body) ? await readStream(body, count, share) : toBytes(body, count)
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
  share: BodyLimits['share'],
): Promise<Uint8Array> {
  if ('locked' in stream && stream.locked) throw alreadyParsed('its stream was read before')
  const source = sourceOf(stream)
  const ended = Promise.withResolvers<Uint8Array>()
  const gathered = new GatheredBytes()
  const giveUp = (error: unknown) => {
    gathered.clear()
    ended.reject(error instanceof ClerkSyncError ? error : incomplete(error))
    source.leave()
  }
  let atTimeout: ClerkSyncError | undefined
  // Answered only at the deadline: a sender that is refused at once retries at once, with another 2 MiB.
  const wait = (error: ClerkSyncError) => {
    gathered.clear()
    atTimeout = error
  }
  const timer = setTimeout(() => giveUp(atTimeout ?? new ClerkSyncError('body_timeout')), BODY_TIMEOUT_MS)
  if (share) share.onCrowdedOut = wait
  gather(source, gathered, count).then(
    (bytes) => gathered.isCleared || ended.resolve(bytes),
    (error) => (isCrowdedOut(error) ? wait(error) : giveUp(error)),
  )
  return ended.promise.finally(() => clearTimeout(timer))
}

function isCrowdedOut(error: unknown): error is ClerkSyncError {
  return error instanceof ClerkSyncError && error.code === 'bodies_crowded'
}

function incomplete(cause: unknown): ClerkSyncError {
  return new ClerkSyncError('body_incomplete', undefined, { cause })
}

async function gather(
  source: Source,
  gathered: GatheredBytes,
  count: (bytes: number) => void,
): Promise<Uint8Array> {
  for (;;) {
    const { done, value: chunk } = await source.next()
    if (done || gathered.isCleared) return gathered.bytes
    // A stream with an encoding gives text, in which invalid bytes have become U+FFFD.
    if (!types.isUint8Array(chunk)) throw alreadyParsed(`its stream gives ${typeof chunk}s, not bytes`)
    count(chunk.byteLength)
    gathered.add(chunk)
  }
}

/** What chunks come from. */
interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>
  /** Stops reading, without waiting for a pending chunk that may never arrive. */
  leave(): void
}

/** By shape, as for bytes. */
function isWebStream(stream: object): stream is ReadableStream<Uint8Array> {
  return 'getReader' in stream
}

function sourceOf(stream: AsyncIterable<Uint8Array>): Source {
  // The iterator of a web stream would cancel only after the chunk that does not come.
  if (isWebStream(stream)) {
    const reader = stream.getReader()
    return { next: () => reader.read(), leave: () => void reader.cancel().catch(() => undefined) }
  }
  const iterator = stream[Symbol.asyncIterator]()
  return { next: () => iterator.next(), leave: () => void iterator.return?.().catch(() => undefined) }
}

/**
 * One growing buffer: a chunk of one byte costs some hundred bytes as an object of its own, so that a body sent in such
 * chunks would take a hundred times the memory that is counted.
 */
class GatheredBytes {
  #buffer: Uint8Array = new Uint8Array()
  #length = 0
  isCleared = false

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength
    // Most bodies are one chunk, which is not copied.
    if (this.#length === 0) this.#buffer = chunk
    else this.#copy(chunk, length)
    this.#length = length
  }

  clear(): void {
    this.#buffer = new Uint8Array()
    this.#length = 0
    this.isCleared = true
  }

  #copy(chunk: Uint8Array, length: number): void {
    if (length > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafeSlow(2 * length)
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(chunk, this.#length)
  }
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
