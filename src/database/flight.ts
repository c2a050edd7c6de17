/**
 * Several statements as one message to Postgres, with one answer to all of them.
 *
 * `pg` ends each statement with a Sync. For each of those the server sends what it has, and this process wakes up to read it:
 * both cost more than most of the statements do. Here one Sync ends the whole flight. After a failure Postgres skips the
 * statements that are left.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */

import type { Writable } from 'node:stream'
import type { PoolClient, Submittable } from 'pg'
import { ArrayColumn, type ArrayType } from './array-column.ts'
import { MessageWriter, type Parameter } from './message-writer.ts'
import type { Statement } from './query.ts'

/** What a statement came to. */
export interface StatementResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number
}

/** A statement, and the name under which the connection keeps its plan. */
export interface NamedStatement extends Statement {
  readonly name?: string | undefined
  /** The connection does not have it yet. */
  readonly isNew?: boolean | undefined
}

/** Sends statements and resolves with what each came to, or rejects with the first failure. */
export function fly(
  client: PoolClient,
  statements: readonly NamedStatement[],
): Promise<readonly StatementResult[]> {
  return new Promise((resolve, reject) => {
    const parserOf = (type: number) => (client as unknown as Typed).getTypeParser(type, 'text')
    client.query(new Flight(statements, parserOf, resolve, reject))
  })
}

interface Typed {
  getTypeParser(type: number, format: 'text'): Parse
}

type Parse = (text: string) => unknown

interface Field {
  readonly name: string
  readonly parse: Parse
  readonly isLazy: boolean
}

/** The type `json`, of `raw` alone: the other documents are `jsonb`. https://www.postgresql.org/docs/current/catalog-pg-type.html */
const JSON_TYPE = 114

/** What `pg` calls a submittable: it receives every message until the answer to Sync. */
class Flight implements Submittable {
  readonly #statements: readonly NamedStatement[]
  readonly #parserOf: (type: number) => Parse
  readonly #resolve: (results: readonly StatementResult[]) => void
  readonly #reject: (error: unknown) => void
  readonly #results: StatementResult[] = []
  #fields: readonly Field[] = []
  #rows: unknown[] = []

  constructor(
    statements: readonly NamedStatement[],
    parserOf: (type: number) => Parse,
    resolve: (results: readonly StatementResult[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#statements = statements
    this.#parserOf = parserOf
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: unknown): void {
    const writer = new MessageWriter()
    for (const { text, parameters, name = '', isNew = true } of this.#statements) {
      // After a failure nobody knows whether the connection has it; to close what is not there is no error.
      if (name !== '' && isNew) writer.closeStatement(name)
      if (name === '' || isNew) writer.parse(name, text)
      const encoded = parameters.map(encode)
      writer.expect(encoded.reduce((sum, each) => sum + (each?.length ?? 0), FEW_BYTES))
      writer.bind(name, encoded)
      writer.describeAndExecute()
    }
    writer.sync()
    ;(connection as { stream: Writable }).stream.write(writer.toBuffer())
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({
      name,
      parse: this.#parserOf(dataTypeID),
      isLazy: dataTypeID === JSON_TYPE,
    }))
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {}
    this.#fields.forEach(({ name, parse, isLazy }, at) => {
      const text = fields[at] ?? null
      if (isLazy && text !== null) parseLazily(row, name, () => parse(text))
      else row[name] = text === null ? null : parse(text)
    })
    this.#rows.push(row)
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#results.push({ rows: this.#rows, rowCount: Number(/\d+$/.exec(text)?.[0] ?? 0) })
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#results)
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' })
  }
}

/** Few look at what Clerk said in full, and parsing it takes as long as the rest of a row. */
function parseLazily(row: object, name: string, parse: () => unknown): void {
  const become = (value: unknown) =>
    Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true })
  const get = () => {
    const value = parse()
    become(value)
    return value
  }
  Object.defineProperty(row, name, { get, set: become, enumerable: true, configurable: true })
}

/** What a statement has beside its parameters. */
const FEW_BYTES = 1_024

/** In the binary format where that is shorter to write and to read. */
function encode(value: unknown): Parameter {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value
  return Array.isArray(value) ? encodeArray(value) : String(value)
}

const ARRAY_TYPES: Readonly<Record<string, ArrayType>> = {
  string: 'text',
  number: 'integer',
  boolean: 'boolean',
}

function encodeArray(values: readonly unknown[]): string | Buffer {
  const type = ARRAY_TYPES[typeof values.find((each) => each !== null)]
  // Of any type.
  if (type === undefined) return `{${values.map(() => 'null')}}`
  const column = new ArrayColumn(type, values.length * 40)
  for (const value of values) {
    if (value === null) column.addNull()
    else if (type === 'text') column.addText(value as string)
    else if (type === 'integer') column.addInteger(value as number)
    else column.addBoolean(value as boolean)
  }
  return column.toBuffer()
}
