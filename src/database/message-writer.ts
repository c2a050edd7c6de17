/**
 * Writes messages of Postgres' extended query protocol into one buffer. `pg`'s own writer makes a buffer for each message, which
 * grows while it is written: a flight with a hundred kilobytes is copied several times.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** A text, bytes in Postgres' binary format, or null. */
export type Parameter = string | Uint8Array | null

const code = (letter: string) => letter.charCodeAt(0)
const PARSE = code('P')
const BIND = code('B')
const CLOSE = code('C')
const STATEMENT = code('S')
/** Which columns the answer has, as texts; then: run it, without a limit of rows. */
const DESCRIBE_AND_EXECUTE = Buffer.from('D\0\0\0\x06P\0E\0\0\0\x09\0\0\0\0\0', 'latin1')
const SYNC = Buffer.from('S\0\0\0\x04', 'latin1')

const TEXT_FORMAT = 0
const BINARY_FORMAT = 1
const NULL_LENGTH = -1
const INITIAL_BYTES = 16 * 1024

export class MessageWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  #end = 0

  /** Makes room at once for what is known to come. */
  expect(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }

  parse(name: string, text: string): void {
    this.#message(PARSE, () => {
      this.#cString(name)
      this.#cString(text)
      this.#int16(0)
    })
  }

  bind(name: string, parameters: readonly Parameter[]): void {
    this.#message(BIND, () => {
      this.#cString('')
      this.#cString(name)
      this.#int16(parameters.length)
      for (const each of parameters) this.#int16(each instanceof Uint8Array ? BINARY_FORMAT : TEXT_FORMAT)
      this.#int16(parameters.length)
      for (const each of parameters) this.#parameter(each)
      this.#int16(0)
    })
  }

  describeAndExecute(): void {
    this.#bytes(DESCRIBE_AND_EXECUTE)
  }

  closeStatement(name: string): void {
    this.#message(CLOSE, () => {
      this.expect(1)
      this.#buffer[this.#end++] = STATEMENT
      this.#cString(name)
    })
  }

  sync(): void {
    this.#bytes(SYNC)
  }

  toBuffer(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  /** A message begins with its length, which is known when it is written. */
  #message(type: number, write: () => void): void {
    this.expect(5)
    this.#buffer[this.#end] = type
    const start = this.#end + 1
    this.#end += 5
    write()
    this.#buffer.writeInt32BE(this.#end - start, start)
  }

  #parameter(value: Parameter): void {
    if (value === null) {
      this.#int32(NULL_LENGTH)
    } else if (typeof value === 'string') {
      const start = this.#end
      this.#int32(0)
      this.#text(value)
      this.#buffer.writeInt32BE(this.#end - start - 4, start)
    } else {
      this.#int32(value.byteLength)
      this.#bytes(value)
    }
  }

  #cString(text: string): void {
    this.#text(text)
    this.expect(1)
    this.#buffer[this.#end++] = 0
  }

  #text(text: string): void {
    // No character of UTF-16 takes more than three bytes.
    this.expect(text.length * 3)
    this.#end += this.#buffer.write(text, this.#end)
  }

  #bytes(bytes: Uint8Array): void {
    this.expect(bytes.byteLength)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.byteLength
  }

  #int16(value: number): void {
    this.expect(2)
    this.#end = this.#buffer.writeInt16BE(value, this.#end)
  }

  #int32(value: number): void {
    this.expect(4)
    this.#end = this.#buffer.writeInt32BE(value, this.#end)
  }
}
