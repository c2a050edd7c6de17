/** Builds the event that `trigger` sends. */

import { randomBytes } from 'node:crypto'
import type { ClerkEvent, EventType } from '../index.ts'
import { ksuid } from '../testing/ksuid.ts'
import { sampleEvent } from '../testing/samples.ts'
import { usageError } from './failure.ts'

interface EventOptions {
  /** JSON of the event's data, or of a whole event. */
  readonly data?: string | undefined
  /** Assignments such as `data.first_name=Ada`. */
  readonly set?: readonly string[] | undefined
  /** How long ago the event happened, in milliseconds. */
  readonly late?: number | undefined
}

/** Builds an event of a type. What the caller gives stays as it is; what comes from the sample is fresh. */
export function buildEvent(type: EventType, { data, set = [], late = 0 }: EventOptions): ClerkEvent {
  const sample = freshSample(type)
  const event = data === undefined ? sample : withData(sample, parseObject(data))
  const moved = moveTimes(event, -late)
  for (const assignment of set) assign(moved, assignment)
  return moved
}

/** A sample that happens now, to a resource that nobody has seen: its id is fresh wherever it stands. */
function freshSample(type: EventType): ClerkEvent {
  const sample: ClerkEvent = sampleEvent(type)
  const id = freshId(sample.data.id)
  const renewed = mapLeaves(sample, (leaf) => (leaf === sample.data.id ? id : leaf))
  return moveTimes(renewed, Date.now() - Number(sample.timestamp))
}

/** `user_2f9…`, `csub_item_2f9…` */
function freshId(id: string): string {
  return id.slice(0, id.lastIndexOf('_') + 1) + ksuid(Date.now(), randomBytes(16))
}

function withData(sample: ClerkEvent, given: Record<string, unknown>): ClerkEvent {
  const isEvent = typeof given.type === 'string' && isObject(given.data)
  if (!isEvent) return { ...sample, data: given as ClerkEvent['data'] }
  if (given.type === sample.type) return given as unknown as ClerkEvent
  throw usageError(`The data is an event of type ${given.type}.`, `Run clerk-sync trigger ${given.type}.`)
}

function parseObject(json: string): Record<string, unknown> {
  const value = parseJson(json)
  if (isObject(value)) return value
  throw usageError('The data is not a JSON object.', 'Give the event’s data, or a whole event.')
}

/** Moves every time in an event; they keep their distances. */
function moveTimes(event: ClerkEvent, byMs: number): ClerkEvent {
  return mapLeaves(event, (leaf) => (isTime(leaf) ? leaf + byMs : leaf))
}

/** Milliseconds since 1970, from 2001 to 2286. */
function isTime(leaf: unknown): leaf is number {
  return Number.isInteger(leaf) && (leaf as number) >= 1e12 && (leaf as number) < 1e13
}

function mapLeaves<Value>(value: Value, change: (leaf: unknown) => unknown): Value {
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change)) as Value
  if (!isObject(value)) return change(value) as Value
  const entries = Object.entries(value).map(([key, item]) => [key, mapLeaves(item, change)])
  return Object.fromEntries(entries) as Value
}

/** Sets what an assignment says. The value is JSON, or else text. */
function assign(event: object, assignment: string): void {
  const [path = '', ...rest] = assignment.split('=')
  const keys = path.split('.').filter(Boolean)
  const last = keys.pop()
  if (last === undefined || rest.length === 0) {
    throw usageError(`"${assignment}" is no assignment.`, 'Write --set data.first_name=Ada.')
  }
  const text = rest.join('=')
  const value = parseJson(text)
  const parent = keys.reduce((node, key) => memberOf(node, key, assignment), event as Record<string, unknown>)
  parent[last] = value === undefined ? text : value
}

function memberOf(node: Record<string, unknown>, key: string, assignment: string): Record<string, unknown> {
  const member = Object.hasOwn(node, key) ? node[key] : undefined
  if (Array.isArray(member) || isObject(member)) return member as Record<string, unknown>
  if (member !== undefined && member !== null) {
    throw usageError(`"${assignment}": ${key} has no members.`, 'Run with --print to see the event.')
  }
  const created = {}
  node[key] = created
  return created
}

/** `undefined` for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
