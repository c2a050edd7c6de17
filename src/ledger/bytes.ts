/** Collects the byte strings of a batch into one binary parameter. */

type Place<Name extends string> = { [key in `${Name}_at` | `${Name}_size`]: number | null }

export class Bytes {
  readonly #parts: Uint8Array[] = []
  // SQL counts from 1.
  #next = 1

  /** Adds a byte string and returns the columns that tell where it is. */
  add<Name extends string>(name: Name, bytes: Uint8Array | null): Place<Name> {
    const place = bytes === null ? [null, null] : [this.#next, bytes.byteLength]
    if (bytes !== null) {
      this.#parts.push(bytes)
      this.#next += bytes.byteLength
    }
    return { [`${name}_at`]: place[0], [`${name}_size`]: place[1] } as Place<Name>
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts)
  }
}
