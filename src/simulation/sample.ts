/** Sample events that happen now. */

import { randomBytes } from 'node:crypto'
import { isObject } from '../clerk/event.ts'
import type { ClerkEvent, EventType } from '../index.ts'
import { ksuid } from '../testing/ksuid.ts'
import { sampleEvent } from '../testing/samples.ts'

/** Of a resource that nobody has seen: its id is fresh wherever it stands. */
export function freshSample(type: EventType): ClerkEvent {
  const sample: ClerkEvent = sampleEvent(type)
  const id = freshId(sample.data.id)
  const renewed = mapLeaves(sample, (leaf) => (leaf === sample.data.id ? id : leaf))
  return moveTimes(renewed, Date.now() - Number(sample.timestamp))
}

/**
 * The sample with other data, or the given event if that is what is given.
 * @returns undefined for an event of another type
 */
export function withData(sample: ClerkEvent, given: Record<string, unknown>): ClerkEvent | undefined {
  const isEvent = typeof given.type === 'string' && isObject(given.data)
  if (!isEvent) return { ...sample, data: given as ClerkEvent['data'] }
  return given.type === sample.type ? (given as unknown as ClerkEvent) : undefined
}

/** Moves every time in an event; they keep their distances. */
export function moveTimes(event: ClerkEvent, byMs: number): ClerkEvent {
  return mapLeaves(event, (leaf) => (isTime(leaf) ? leaf + byMs : leaf))
}

/** `user_2f9…`, `csub_item_2f9…` */
function freshId(id: string): string {
  return id.slice(0, id.lastIndexOf('_') + 1) + ksuid(Date.now(), randomBytes(16))
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
