/**
 * One column of a batch as an array in Postgres' binary format, written value by value.
 *
 * Postgres reads such an array in half the time that one in text costs, and nothing is quoted, escaped or decoded on the
 * way. The format: https://github.com/postgres/postgres/blob/REL_17_STABLE/src/backend/utils/adt/arrayfuncs.c (array_recv)
 */

/** The object ids of the element types, which are part of Postgres' protocol and never change. */
const TYPE_IDS = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  integer: 23,
  text: 25,
  json: 114,
  timestamptz: 1184,
  jsonb: 3802,
} as const

export type ArrayType = keyof typeof TYPE_IDS

/** Dimensions, whether there are nulls, the elements' type, how many there are, the index of the first. */
const HEADER_BYTES = 20
const JSONB_VERSION = 1
/** Postgres counts microseconds from 2000-01-01. */
const EPOCH_MS = 946_684_800_000
const TWO_TO_32 = 2 ** 32
/** Up to here, a loop over the characters is faster than a call into Node's encoder. */
const SHORT_TEXT = 40

export class ArrayColumn {
  #buffer: Buffer
  #end = HEADER_BYTES
  #count = 0
  readonly #typeId: number

  constructor(type: ArrayType, expectedBytes: number) {
    this.#typeId = TYPE_IDS[type]
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + expectedBytes)
  }

  addNull(): void {
    this.#reserve(4)
    this.#int32(-1)
    this.#count++
  }

  addText(text: string): void {
    // No character of UTF-16 takes more than three bytes.
    this.#reserve(4 + text.length * 3)
    this.#writeText(text, 0)
  }

  /** @param text JSON, which Postgres checks */
  addJsonb(text: string): void {
    this.#reserve(5 + text.length * 3)
    this.#buffer[this.#end + 4] = JSONB_VERSION
    this.#writeText(text, 1)
  }

  addBytes(bytes: Uint8Array): void {
    this.#reserve(4 + bytes.byteLength)
    this.#int32(bytes.byteLength)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.byteLength
    this.#count++
  }

  addBoolean(value: boolean): void {
    this.#reserve(5)
    this.#int32(1)
    this.#buffer[this.#end++] = value ? 1 : 0
    this.#count++
  }

  addInteger(value: number): void {
    this.#reserve(8)
    this.#int32(4)
    this.#int32(value)
    this.#count++
  }

  addBigint(value: bigint): void {
    this.#reserve(12)
    this.#int32(8)
    this.#end = this.#buffer.writeBigInt64BE(value, this.#end)
    this.#count++
  }

  /** @param milliseconds since 1970 */
  addTime(milliseconds: number): void {
    this.#reserve(12)
    this.#int32(8)
    // Microseconds of the years that Clerk's times may have fit into 64 bits, but not into a number: in two halves.
    const thousands = milliseconds - EPOCH_MS
    const high = Math.floor((thousands * 1000) / TWO_TO_32)
    const low = ((thousands % TWO_TO_32) * 1000) % TWO_TO_32
    this.#int32(high)
    this.#int32(low >= 0 ? low : low + TWO_TO_32)
    this.#count++
  }

  /** The parameter. */
  toBuffer(): Buffer {
    const buffer = this.#buffer.subarray(0, this.#count === 0 ? 12 : this.#end)
    buffer.writeInt32BE(this.#count === 0 ? 0 : 1, 0)
    buffer.writeInt32BE(1, 4)
    buffer.writeInt32BE(this.#typeId, 8)
    if (this.#count === 0) return buffer
    buffer.writeInt32BE(this.#count, 12)
    buffer.writeInt32BE(1, 16)
    return buffer
  }

  /** The length, then the text, `offset` bytes after it. */
  #writeText(text: string, offset: number): void {
    const start = this.#end + 4 + offset
    const written = this.#writeShortAscii(text, start) ? text.length : this.#buffer.write(text, start)
    this.#int32(offset + written)
    this.#end = start + written
    this.#count++
  }

  #writeShortAscii(text: string, start: number): boolean {
    if (text.length > SHORT_TEXT) return false
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code > 0x7f) return false
      this.#buffer[start + at] = code
    }
    return true
  }

  #int32(value: number): void {
    const at = this.#end
    this.#buffer[at] = value >>> 24
    this.#buffer[at + 1] = value >>> 16
    this.#buffer[at + 2] = value >>> 8
    this.#buffer[at + 3] = value
    this.#end = at + 4
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }
}
