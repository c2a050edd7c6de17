/** The filters of lists, by the kinds of parameters that Clerk has. */

import type { Payload } from '../../clerk/payloads.ts'
import { unprocessable } from './answers.ts'

/** Makes a test of the values of a parameter. */
export type Filter<Resource> = (values: readonly string[], name: string) => (resource: Resource) => boolean

/** By the parameter's name. */
export type Filters<Resource> = Readonly<Record<string, Filter<Resource>>>

const MAX_VALUES = 100

/** Up to 100 values. One with a `-` before it must not be there. */
export function anyOf<Resource>(read: (resource: Resource) => readonly unknown[]): Filter<Resource> {
  return (values, name) => {
    if (values.length > MAX_VALUES) throw unprocessable(name, `${name} takes at most ${MAX_VALUES} values`)
    const unwanted = new Set(values.filter((value) => value.startsWith('-')).map((value) => value.slice(1)))
    const wanted = new Set(
      values.filter((value) => !value.startsWith('-')).map((value) => value.replace(/^\+/, '')),
    )
    return (resource) => {
      const found = read(resource).map(String)
      return (
        !found.some((value) => unwanted.has(value)) &&
        (wanted.size === 0 || found.some((value) => wanted.has(value)))
      )
    }
  }
}

/** One of a few words. */
export function oneOf<Resource>(
  words: readonly string[],
  read: (resource: Resource) => unknown,
): Filter<Resource> {
  return ([word = ''], name) => {
    if (!words.includes(word)) throw unprocessable(name, `${name} must be one of ${words.join(', ')}`)
    return (resource) => String(read(resource)) === word
  }
}

export function isTrue<Resource>(read: (resource: Resource) => unknown): Filter<Resource> {
  return oneOf(['true', 'false'], (resource) => read(resource) === true)
}

export function equals<Resource>(read: (resource: Resource) => unknown): Filter<Resource> {
  return ([value]) =>
    (resource) =>
      read(resource) === value
}

/** Text that any of the values holds, in any case. */
export function contains<Resource>(read: (resource: Resource) => readonly unknown[]): Filter<Resource> {
  return ([text = '']) => {
    const wanted = text.toLowerCase()
    return (resource) =>
      read(resource).some((value) => typeof value === 'string' && value.toLowerCase().includes(wanted))
  }
}

/** `…_before` and `…_after` a time in milliseconds. */
export function timeFilters<Resource extends Payload>(...fields: readonly string[]): Filters<Resource> {
  return Object.fromEntries(
    fields.flatMap((field) => [
      [`${field}_before`, byTime<Resource>(field, (value, limit) => value < limit)],
      [`${field}_after`, byTime<Resource>(field, (value, limit) => value > limit)],
    ]),
  )
}

function byTime<Resource extends Payload>(
  field: string,
  test: (value: number, limit: number) => boolean,
): Filter<Resource> {
  return ([text = ''], name) => {
    if (!/^\d{1,15}$/.test(text)) throw unprocessable(name, `${name} must be a time in milliseconds`)
    return (resource) => typeof resource[field] === 'number' && test(resource[field], Number(text))
  }
}
