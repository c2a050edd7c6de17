/**
 * Writes the rows of a batch column by column: one writer for each column, made once from the catalogue, that appends a
 * row's value to an array in Postgres' binary format. No row object is made, and no date or text is formatted.
 */

import { toDate } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import {
  type ChildSet,
  type Column,
  type Columns,
  membersOf,
  type Resource,
  readerOf,
} from '../clerk/resource.ts'
import { toStorableJson } from '../clerk/storable.ts'
import { ArrayColumn, type ArrayType } from '../database/array-column.ts'
import { quoteIdentifier } from '../database/identifier.ts'
import type { Tombstone } from './fold.ts'
import type { NewRun } from './handler-port.ts'
import type { NewEvent, Tombstoned, Written } from './plan.ts'

/** A column of a table: its type, and how a row's value is appended. */
interface RowColumn<Row> {
  readonly name: string
  readonly type: ArrayType
  readonly append: (column: ArrayColumn, row: Row) => void
}

export type RowColumns<Row> = readonly RowColumn<Row>[]

/** The parameters of a statement: an array for each column. */
export function toParameters<Row>(columns: RowColumns<Row>, rows: readonly Row[]): Buffer[] {
  return columns.map(({ type, append }) => {
    const column = new ArrayColumn(type, rows.length * EXPECTED_BYTES[type])
    for (const row of rows) append(column, row)
    return column.toBuffer()
  })
}

/** The rows of the parameters that hold one column each, in SQL. */
export function rowsOf<Row>(columns: RowColumns<Row>): string {
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`)
  return `unnest(${arrays}) as "row"(${columns.map(({ name }) => quoteIdentifier(name))})`
}

/** With the four bytes of each length. Most values are null or short. */
const EXPECTED_BYTES: Readonly<Record<ArrayType, number>> = {
  boolean: 5,
  integer: 8,
  bigint: 12,
  timestamptz: 12,
  text: 32,
  jsonb: 64,
  json: 2_048,
  bytea: 2_048,
}

export function resourceColumns(resource: Resource): RowColumns<Written> {
  const createdAt = readerOf(resource.createdAt ?? 'created_at')
  return [
    text('id', ({ id }) => id),
    ...payloadColumns(resource.columns, dataOf, ({ exact }) => exact),
    time('clerk_created_at', (row) => toDate(createdAt(dataOf(row)))),
    time('clerk_updated_at', ({ observation }) => observation.state?.updatedAt ?? null),
    time('observed_at', ({ observation }) => observation.observedAt),
    time('deleted_at', ({ tombstone }) => tombstone?.deletedAt ?? null),
    text('event_id', ({ tombstone, observation }) => (tombstone ?? observation).eventId),
    text('instance_id', ({ instanceId }) => instanceId),
    bytes('raw', 'json', ({ observation }) => observation.state?.raw ?? null),
  ]
}

/** A member of a set, with its parent's row. */
export interface Member {
  readonly id: string
  readonly data: Payload
  /** `data`, with the digits of its numbers. */
  readonly exact: Payload
  readonly parent: Written
}

export function membersIn(childSet: ChildSet, parent: Written): Member[] {
  const data = dataOf(parent)
  const members = membersOf(childSet, data)
  const exact = parent.exact === data ? members : membersOf(childSet, parent.exact)
  return [...members].map(([id, member]) => ({ id, data: member, exact: exact.get(id) as Payload, parent }))
}

export function memberColumns(childSet: ChildSet): RowColumns<Member> {
  const { parentColumn } = childSet
  return [
    text(parentColumn, ({ parent }) => parent.id),
    text('id', ({ id }) => id),
    ...payloadColumns<Member>(
      childSet.columns,
      ({ data }) => data,
      ({ exact }) => exact,
    ),
    time('clerk_created_at', ({ data }) => toDate(data.created_at)),
    time('clerk_updated_at', ({ data }) => toDate(data.updated_at)),
    time('deleted_at', ({ parent }) => parent.tombstone?.deletedAt ?? null),
    text('instance_id', ({ parent }) => parent.instanceId),
  ]
}

export const TOMBSTONE_COLUMNS: RowColumns<Tombstoned> = [
  text('id', ({ id }) => id),
  ...tombstoneColumns<Tombstoned>(({ tombstone }) => tombstone),
  text('instance_id', ({ instanceId }) => instanceId),
]

export const CASCADE_COLUMNS: RowColumns<{ readonly parentId: string; readonly tombstone: Tombstone }> = [
  text('id', ({ parentId }) => parentId),
  ...tombstoneColumns<{ tombstone: Tombstone }>(({ tombstone }) => tombstone),
]

function tombstoneColumns<Row>(of: (row: Row) => Tombstone): RowColumns<Row> {
  return [time('deleted_at', (row) => of(row).deletedAt), text('event_id', (row) => of(row).eventId)]
}

export const EVENT_COLUMNS: RowColumns<NewEvent> = [
  text('id', ({ entry }) => entry.svixId),
  text('type', ({ entry }) => entry.type),
  text('resource', ({ entry }) => entry.resource),
  text('resource_id', ({ entry }) => entry.resourceId),
  text('instance_id', ({ entry }) => entry.instanceId),
  time('occurred_at', ({ entry }) => entry.occurredAt),
  text('outcome', ({ verdict }) => verdict.outcome),
  text('reason', ({ verdict }) => verdict.reason),
  text('error', ({ verdict }) => verdict.error ?? null),
  text('source', ({ source }) => source),
  text('traceparent', ({ entry }) => entry.traceparent ?? null),
  {
    name: 'redacted',
    type: 'boolean',
    append: (column, { entry }) => column.addBoolean(entry.body.withSecrets !== null),
  },
  bytes('body_sha256', 'bytea', ({ entry }) => entry.body.sha256),
  bytes('secret_body', 'bytea', ({ entry, keepsSecrets }) => keptSecrets(entry.body, keepsSecrets)),
]

/** The bodies of events that could be read. */
export const BODY_COLUMNS: RowColumns<NewEvent> = [
  text('event_id', ({ entry }) => entry.svixId),
  bytes('body', 'bytea', ({ entry }) => entry.body.bytes),
]

/** What events changed, of those that changed something. */
export const CHANGE_COLUMNS: RowColumns<Pick<NewEvent, 'entry' | 'verdict'>> = [
  text('event_id', ({ entry }) => entry.svixId),
  bytes(
    'changes',
    'json',
    ({ verdict }) => verdict.exactChanges ?? Buffer.from(JSON.stringify(verdict.changes)),
  ),
]

/** What the totals of a minute are counted by. */
export const COUNT_COLUMNS = eventColumns('occurred_at', 'outcome', 'source')

/** What a replay may change; the body stays what it was. */
export const OUTCOME_COLUMNS = eventColumns(
  'id',
  'type',
  'resource',
  'resource_id',
  'outcome',
  'reason',
  'error',
)

function eventColumns(...names: readonly string[]): RowColumns<NewEvent> {
  return EVENT_COLUMNS.filter(({ name }) => names.includes(name))
}

/** A body that could not be read is kept nowhere else. */
function keptSecrets(body: NewEvent['entry']['body'], keepsSecrets: boolean): Uint8Array | null {
  return keepsSecrets || body.bytes === null ? body.withSecrets : null
}

export const RUN_COLUMNS: RowColumns<NewRun> = [
  text('event_id', ({ eventId }) => eventId),
  text('handler', ({ handler }) => handler),
  text('order_key', ({ orderKey }) => orderKey),
  time('occurred_at', ({ occurredAt }) => occurredAt),
]

function dataOf({ observation }: Written): Payload {
  return observation.state?.data as Payload
}

/** @param readExact what JSON columns are made of; the others hold no number that JavaScript does not */
function payloadColumns<Row>(
  columns: Columns,
  readData: (row: Row) => Payload,
  readExact: (row: Row) => Payload,
): RowColumns<Row> {
  return Object.entries(columns).map(([name, column]) => {
    const read = readerOf(column.source ?? name)
    const append = APPENDERS[column.sqlType]
    const payloadOf = column.sqlType === 'jsonb' ? readExact : readData
    return {
      name,
      type: column.sqlType,
      append: (array, row) => append(array, read(payloadOf(row)), column),
    }
  })
}

type Append = (array: ArrayColumn, value: unknown, column: Column) => void

const APPENDERS: Readonly<Record<Column['sqlType'], Append>> = {
  text: cast((array, value) => array.addText(value as string)),
  boolean: cast((array, value) => array.addBoolean(value as boolean)),
  integer: cast((array, value) => array.addInteger(value as number)),
  bigint: cast((array, value) => array.addBigint(BigInt(value as number))),
  timestamptz: cast((array, value) => array.addTime((value as Date).getTime())),
  jsonb: appendJson,
}

function cast(append: (array: ArrayColumn, value: unknown) => void): Append {
  return (array, value, column) => {
    const casted = column.cast(value)
    if (casted === null) array.addNull()
    else append(array, casted)
  }
}

/** Escapes that Postgres' `jsonb` rejects: U+0000 and lone surrogates. */
const MAYBE_UNSTORABLE = /\\u(?:0000|d[89a-f])/

function appendJson(array: ArrayColumn, value: unknown): void {
  // What JSON cannot write, such as the Infinity that 1e999 is read as, it writes as null.
  const json = value === undefined ? 'null' : JSON.stringify(value)
  if (json === 'null') array.addNull()
  else array.addJsonb(MAYBE_UNSTORABLE.test(json) ? JSON.stringify(toStorableJson(value)) : json)
}

function text<Row>(name: string, read: (row: Row) => string | null): RowColumn<Row> {
  return {
    name,
    type: 'text',
    append: (column, row) => {
      const value = read(row)
      if (value === null) column.addNull()
      else column.addText(value)
    },
  }
}

function time<Row>(name: string, read: (row: Row) => Date | null): RowColumn<Row> {
  return {
    name,
    type: 'timestamptz',
    append: (column, row) => {
      const value = read(row)
      if (value === null) column.addNull()
      else column.addTime(value.getTime())
    },
  }
}

function bytes<Row>(
  name: string,
  type: 'bytea' | 'json',
  read: (row: Row) => Uint8Array | null,
): RowColumn<Row> {
  return {
    name,
    type,
    append: (column, row) => {
      const value = read(row)
      if (value === null) column.addNull()
      else column.addBytes(value)
    },
  }
}
