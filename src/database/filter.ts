/** Which events, and which runs of handlers: filters as conditions in SQL, for lists, counts, replays and bulk actions. */

import { type RawBuilder, sql } from 'kysely'
import { EVENT_TYPES, RESOURCES } from '../clerk/catalogue.ts'
import { isFor } from '../clerk/event-patterns.ts'
import { ClerkSyncError } from '../errors.ts'
import { SECRETS_FORGOTTEN } from './secrets.ts'
import type { Outcome, RunStatus } from './tables.ts'

/** Which events. All conditions must hold; an empty filter means every event. */
export interface EventFilter {
  /** svix-ids. */
  readonly ids?: readonly string[] | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  /** Event types; `user.*` means all of a kind. */
  readonly types?: readonly string[] | undefined
  /** Tables: `users`, … */
  readonly resources?: readonly string[] | undefined
  /** Clerk ids: `user_…`, … */
  readonly resourceIds?: readonly string[] | undefined
  /** Received at or after. */
  readonly since?: Date | undefined
  /** Received before. */
  readonly until?: Date | undefined
}

/** Which runs. All conditions must hold; an empty filter means every run. */
export interface RunFilter {
  /** Handlers, by name. */
  readonly handlers?: readonly string[] | undefined
  readonly statuses?: readonly RunStatus[] | undefined
  /** Groups of failures that differ only in ids and numbers. */
  readonly fingerprints?: readonly string[] | undefined
  /** svix-ids. */
  readonly eventIds?: readonly string[] | undefined
  /** Recorded at or after. */
  readonly since?: Date | undefined
  /** Recorded before. */
  readonly until?: Date | undefined
  /** Of events whose secrets were forgotten, or of all others. */
  readonly secretsForgotten?: boolean | undefined
}

export type Condition = RawBuilder<boolean>

type Optional = Condition | false | undefined

/** The statuses of runs whose last try failed. */
export const FAILING = ['retrying', 'dead'] as const satisfies RunStatus[]
const isFailing = (status: RunStatus) => FAILING.some((failing) => failing === status)

/** The conditions on columns of `events`, under whatever name a query reads them. */
export function eventConditions(filter: EventFilter): Condition[] {
  const { ids, outcomes, types, resources, resourceIds, since, until } = filter
  return asked([
    ids && oneOf('id', ids),
    outcomes && oneWordOf('outcome', outcomes),
    types && ofTypes(types),
    resources && oneOf('resource', resources),
    resourceIds && oneOf('resource_id', resourceIds),
    since && sql`received_at >= ${since}`,
    until && sql`received_at < ${until}`,
  ])
}

/** The conditions on columns of `handler_runs`, under whatever name a query reads them. */
export function runConditions(filter: RunFilter, schema: string): Condition[] {
  const { handlers, statuses, fingerprints, eventIds, since, until, secretsForgotten } = filter
  return asked([
    handlers && oneOf('handler', handlers),
    statuses && oneWordOf('status', statuses),
    // True of every failing run. The indexes of failing runs have it as their condition.
    statuses?.every(isFailing) && sql`fingerprint is not null`,
    fingerprints && oneOf('fingerprint', fingerprints),
    eventIds && oneOf('event_id', eventIds),
    since && sql`created_at >= ${since}`,
    until && sql`created_at < ${until}`,
    secretsForgotten !== undefined && sql`${secretsForgotten} = ${hasLostSecrets(schema)}`,
  ])
}

/** Whether the event of a run has lost its secrets. `event_id` is the run's: events have no such column. */
export function hasLostSecrets(schema: string): Condition {
  return sql`exists (
    select from ${sql.id(schema, 'events')} as event where event.id = event_id and ${sql.raw(SECRETS_FORGOTTEN)})`
}

export function all(conditions: readonly Condition[]): Condition {
  return sql`(${sql.join([sql`true`, ...conditions], sql` and `)})`
}

/** Events of these types, each as `isFor` understands it. */
export function ofTypes(patterns: readonly string[]): Condition {
  if (!patterns.some((pattern) => pattern.includes('*'))) return oneOf('type', patterns)
  return sql`type like any(${patterns.map(toLikePattern)})`
}

/** A word of ours, where the planner must see it to know that a partial index holds it. Anything else is a mistake. */
export function literal(word: string): RawBuilder<string> {
  if (!/^[a-z_]+$/.test(word))
    throw new ClerkSyncError('option_invalid', `${JSON.stringify(word)} is no outcome or status`)
  return sql.lit(word)
}

/** The known types that the conditions on types and resources leave; undefined: any. */
export function knownTypes({ types, resources }: EventFilter): readonly string[] | undefined {
  const ofResources =
    resources && new Set(resources.flatMap((name) => Object.keys(RESOURCES.get(name)?.events ?? {})))
  const wanted = types?.flatMap((pattern) =>
    pattern.includes('*') ? EVENT_TYPES.filter((known) => isFor([pattern], known)) : [pattern],
  )
  if (!wanted) return ofResources && [...ofResources]
  return [...new Set(wanted)].filter((name) => !ofResources || ofResources.has(name))
}

function asked(conditions: readonly Optional[]): Condition[] {
  return conditions.filter((condition) => condition !== undefined && condition !== false)
}

/** With one value Postgres can read an index in its order; with a list, older versions cannot. */
function oneOf(column: string, values: readonly string[]): Condition {
  const name = sql.raw(column)
  return values.length === 1 ? sql`${name} = ${values[0]}` : sql`${name} = any(${values}::text[])`
}

function oneWordOf(column: string, words: readonly string[]): Condition {
  if (words.length === 0) return sql`false`
  return sql`${sql.raw(column)} in (${sql.join(words.map(literal))})`
}

function toLikePattern(type: string): string {
  return type.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}
