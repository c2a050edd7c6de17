/** The event that `trigger` sends, as its options describe it. */

import { isObject } from '../clerk/event.ts'
import type { ClerkEvent, EventType } from '../index.ts'
import { freshSample, moveTimes, withData } from '../simulation/sample.ts'
import { usageError } from './failure.ts'

interface EventOptions {
  /** JSON of the event's data, or of a whole event. */
  readonly data?: string | undefined
  /** Assignments such as `data.first_name=Ada`. */
  readonly set?: readonly string[] | undefined
  /** How long ago the event happened, in milliseconds. */
  readonly late?: number | undefined
}

/** What the caller gives stays as it is; what comes from the sample is fresh. */
export function composeEvent(type: EventType, { data, set = [], late = 0 }: EventOptions): ClerkEvent {
  const sample = freshSample(type)
  const event = moveTimes(data === undefined ? sample : eventWith(sample, parseObject(data)), -late)
  for (const assignment of set) assign(event, assignment)
  return event
}

function eventWith(sample: ClerkEvent, given: Record<string, unknown>): ClerkEvent {
  const event = withData(sample, given)
  if (event !== undefined) return event
  throw usageError(`The data is an event of type ${given.type}.`, `Run clerk-sync trigger ${given.type}.`)
}

function parseObject(json: string): Record<string, unknown> {
  const value = parseJson(json)
  if (isObject(value)) return value
  throw usageError('The data is not a JSON object.', 'Give the event’s data, or a whole event.')
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
