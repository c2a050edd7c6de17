/** Reads what requests ask for. Whatever is not understood is refused by name, not ignored. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { FAILING } from '../database/filter.ts'
import { ClerkSyncError } from '../errors.ts'
import type { RunFilter } from '../index.ts'
import type { PageRequest } from '../inspect/cursor.ts'
import type { ListFilter } from '../inspect/event-list.ts'
import type { EventOrigin, EventOutcome, RunState, Time } from '../inspect/model.ts'
import { type NumberKind, numberFault } from '../validate.ts'

const OUTCOMES = ['applied', 'stale', 'ignored', 'parked', 'failed'] as const satisfies EventOutcome[]
const ORIGINS = ['webhook', 'backfill', 'reconcile', 'existing'] as const satisfies EventOrigin[]
const RUN_STATES = [
  'pending',
  'running',
  'retrying',
  'succeeded',
  'dead',
  'discarded',
] as const satisfies RunState[]

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
/** More values of one condition than anybody types. */
const MAX_QUERY_VALUES = 100
/** More than anybody selects. */
const MAX_BODY_VALUES = 1_000
/** A filter with a thousand ids is smaller. */
const MAX_BODY_BYTES = 64 * 1024

export function invalid(detail: string): ClerkSyncError {
  return new ClerkSyncError('request_invalid', detail)
}

/** One value per name, or several, as in a query string or in a JSON body. */
export class Fields {
  readonly #values: ReadonlyMap<string, readonly unknown[]>
  readonly #most: number

  /** @param most how many values a name may have */
  constructor(values: ReadonlyMap<string, readonly unknown[]>, most: number) {
    this.#values = values
    this.#most = most
  }

  static ofQuery(parameters: URLSearchParams): Fields {
    const names = [...new Set(parameters.keys())]
    return new Fields(new Map(names.map((name) => [name, parameters.getAll(name)])), MAX_QUERY_VALUES)
  }

  static ofObject(object: Readonly<Record<string, unknown>>): Fields {
    const entries = Object.entries(object).map(([name, value]) => [name, toList(value)] as const)
    return new Fields(new Map(entries), MAX_BODY_VALUES)
  }

  /** @throws {ClerkSyncError} `request_invalid` */
  text(name: string, maxLength = 400): string | undefined {
    const [value, ...others] = this.#values.get(name) ?? []
    if (value === undefined) return undefined
    const isText = typeof value === 'string' && value.length <= maxLength && !value.includes('\u0000')
    if (!isText || others.length > 0)
      throw invalid(`${name} must be one text of ${maxLength} characters at most`)
    return value
  }

  required(name: string, maxLength?: number): string {
    const value = this.text(name, maxLength)
    if (value === undefined || value.trim() === '') throw invalid(`${name} is missing`)
    return value
  }

  list(name: string): readonly string[] | undefined {
    const values = this.#values.get(name)
    if (values === undefined) return undefined
    const areTexts = values.every(
      (value) => typeof value === 'string' && value.length <= 400 && !value.includes('\u0000'),
    )
    if (!areTexts || values.length > this.#most) throw invalid(`${name} must be texts, ${this.#most} at most`)
    return values as string[]
  }

  oneOf<Value extends string>(name: string, choices: readonly Value[]): Value | undefined {
    const value = this.text(name)
    if (value === undefined || isOneOf(value, choices)) return value
    throw invalid(`${name} must be one of ${choices.join(', ')}`)
  }

  someOf<Value extends string>(name: string, choices: readonly Value[]): readonly Value[] | undefined {
    const values = this.list(name)
    if (values === undefined || values.every((value) => isOneOf(value, choices))) return values as Value[]
    throw invalid(`${name} must be some of ${choices.join(', ')}`)
  }

  time(name: string): Time | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const date = new Date(value)
    if (!/^\d{4}-/.test(value) || Number.isNaN(date.getTime())) throw invalid(`${name} must be a time`)
    return date.toISOString()
  }

  date(name: string): Date | undefined {
    const time = this.time(name)
    return time === undefined ? undefined : new Date(time)
  }

  /** A number above 0. */
  number(name: string, most: number): number | undefined {
    return this.#numeric(name, 'positive', most)
  }

  /** A whole number above 0. */
  count(name: string, most: number): number | undefined {
    return this.#numeric(name, 'count', most)
  }

  #numeric(name: string, kind: NumberKind, most: number): number | undefined {
    const [value, ...others] = this.#values.get(name) ?? []
    if (value === undefined) return undefined
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
    const fault = numberFault(name, others.length > 0 ? undefined : number, kind, most)
    if (fault) throw invalid(fault)
    return number as number
  }

  boolean(name: string): boolean | undefined {
    const [value] = this.#values.get(name) ?? []
    if (value === undefined) return undefined
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    throw invalid(`${name} must be true or false`)
  }

  /** A condition that can be "none": null or an empty text. */
  nullable(name: string): string | null | undefined {
    const values = this.#values.get(name)
    if (values?.length === 1 && (values[0] === null || values[0] === '')) return null
    return this.text(name)
  }

  object(name: string): Fields {
    const [value] = this.#values.get(name) ?? []
    return Fields.ofObject(toObject(value, name))
  }

  raw(name: string): unknown {
    return this.#values.get(name)?.[0]
  }
}

function toList(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function isOneOf<Value extends string>(value: string, choices: readonly Value[]): value is Value {
  return (choices as readonly string[]).includes(value)
}

function toObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw invalid(`${name} must be an object`)
}

export function pageOf(fields: Fields): PageRequest {
  return { limit: fields.count('limit', MAX_LIMIT) ?? DEFAULT_LIMIT, cursor: fields.text('cursor') }
}

export function eventFilterOf(fields: Fields): ListFilter {
  return {
    ids: fields.list('id'),
    outcomes: fields.someOf('outcome', OUTCOMES),
    types: fields.list('type'),
    resources: fields.someOf('resource', [...RESOURCES.keys()]),
    resourceIds: listOf(fields.text('resourceId')),
    source: fields.oneOf('source', ORIGINS),
    handler: fields.text('handler'),
    run: fields.oneOf('run', [...RUN_STATES, 'failing']),
    since: fields.date('since'),
    until: fields.date('until'),
  }
}

/** Of one handler, those that fail. Null as the fingerprint means runs without one: failing runs have one. */
export function runFilterOf(fields: Fields): RunFilter {
  const fingerprint = fields.nullable('fingerprint')
  return {
    handlers: [fields.required('handler')],
    fingerprints: fingerprint === null ? [] : listOf(fingerprint),
    statuses: fields.someOf('state', FAILING) ?? FAILING,
    since: fields.date('since'),
    until: fields.date('until'),
  }
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value]
}

/** The JSON of a request; an empty body is an empty object. */
export async function readBody(request: Request): Promise<Fields> {
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > MAX_BODY_BYTES) throw invalid('the body is too large')
  const text = await readText(request)
  if (text === '') return Fields.ofObject({})
  try {
    return Fields.ofObject(toObject(JSON.parse(text), 'the body'))
  } catch (error) {
    throw error instanceof ClerkSyncError ? error : invalid('the body is not JSON')
  }
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) throw invalid('the body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
