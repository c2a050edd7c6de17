/** The event filter, as text in the box, as parameters in the address, and as a query for the server. */

import type { EventItem, EventOrigin, EventOutcome, EventQuery, RunState } from './api.ts'
import type { Changes } from './location.ts'
import { momentOf } from './moment.ts'

/** Names in the address. Several values: `outcome`, `type`, `resource`, `id`. */
export const FILTER_NAMES = [
  'outcome',
  'type',
  'resource',
  'resourceId',
  'handler',
  'run',
  'source',
  'id',
  'since',
  'until',
] as const

type FilterName = (typeof FILTER_NAMES)[number]

/** Aliases for parameter names in the box. */
const ALIASES: Readonly<Record<string, FilterName>> = {
  status: 'outcome',
  resource_id: 'resourceId',
  subject: 'resourceId',
}

const isName = (text: string): text is FilterName => FILTER_NAMES.some((name) => name === text)

/** `type:user.* outcome:failed since:1h`. */
export function textOf(query: URLSearchParams): string {
  return FILTER_NAMES.flatMap((name) => query.getAll(name).map((value) => `${name}:${value}`)).join(' ')
}

/** Parses the filter text into query parameters. A bare word is an id: of a message or of a resource. */
export function changesOf(text: string): Changes {
  const found: Record<string, string[]> = {}
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const colon = word.indexOf(':')
    const name = word.slice(0, Math.max(0, colon))
    const known = ALIASES[name] ?? (isName(name) ? name : undefined)
    const target = known ?? (/^(msg|evt)_/.test(word) ? 'id' : 'resourceId')
    found[target] = [...(found[target] ?? []), known ? word.slice(colon + 1) : word]
  }
  return Object.fromEntries(FILTER_NAMES.map((name) => [name, found[name]]))
}

const list = <Value extends string>(query: URLSearchParams, name: string) => {
  const values = query.getAll(name) as Value[]
  return values.length === 0 ? {} : { [name]: values }
}

const single = <Value extends string>(query: URLSearchParams, name: string) => {
  const value = query.get(name) as Value | null
  return value === null ? {} : { [name]: value }
}

/** The query for the server, which reports invalid values itself. */
export function queryOf(query: URLSearchParams, now: number): EventQuery {
  const [since, until] = [query.get('since'), query.get('until')]
  return {
    ...list<EventOutcome>(query, 'outcome'),
    ...list(query, 'type'),
    ...list(query, 'resource'),
    ...list(query, 'id'),
    ...single(query, 'resourceId'),
    ...single<EventOrigin>(query, 'source'),
    ...single(query, 'handler'),
    ...single<RunState>(query, 'run'),
    ...(since && { since: momentOf(since, now) ?? since }),
    ...(until && { until: momentOf(until, now) ?? until }),
  }
}

export function isFiltered(query: URLSearchParams): boolean {
  return FILTER_NAMES.some((name) => query.has(name))
}

/** Whether a new event belongs to what is shown. A handler's runs are not known yet when an event arrives. */
export function matches(event: EventItem, filter: EventQuery): boolean {
  return (
    isAmong(event.outcome, filter.outcome) &&
    isAmong(event.subject?.resource, filter.resource) &&
    isAmong(event.id, filter.id) &&
    (filter.type === undefined || filter.type.some((pattern) => isOfType(event.type ?? '', pattern))) &&
    (filter.resourceId === undefined || filter.resourceId === event.subject?.id) &&
    (filter.source === undefined || filter.source === event.source) &&
    (filter.until === undefined || event.receivedAt < filter.until)
  )
}

function isAmong<Value>(value: Value | undefined, values: readonly Value[] | undefined): boolean {
  return values === undefined || (value !== undefined && values.includes(value))
}

function isOfType(type: string, pattern: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}
