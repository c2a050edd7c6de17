/** A handler: your code for some kinds of events, with the options that decide how it runs. */

import type { Selectable } from 'kysely'
import type { CATALOGUE } from '../clerk/catalogue.ts'
import type { ClerkEvent } from '../clerk/event.ts'
import { patternFault } from '../clerk/event-patterns.ts'
import type { EventType } from '../clerk/payloads.ts'
import type { Change, ClerkTables, EventSource, Outcome } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { numberFault } from '../validate.ts'
import { retryDelays } from './retry.ts'
import type { HandlerTransaction } from './transaction.ts'

type Family = EventType extends `${infer Name}.${string}` ? Name : never

/** An event type, all of a kind (`user.*`), or every event (`*`). */
export type EventPattern = EventType | `${Family}.*` | '*'

type Matching<Pattern extends EventPattern> = Pattern extends '*'
  ? EventType
  : Pattern extends `${infer Name}.*`
    ? Extract<EventType, `${Name}.${string}`>
    : Extract<EventType, Pattern>

type TableOf<Type extends EventType> = {
  [name in keyof typeof CATALOGUE]: Type extends keyof (typeof CATALOGUE)[name]['events'] ? name : never
}[keyof typeof CATALOGUE]

/** The events that a pattern means: a union that narrows by `type`. */
export type MatchingEvent<Pattern extends EventPattern> = {
  [type in Matching<Pattern>]: ClerkEvent<type>
}[Matching<Pattern>]

/** The row of the table that an event is about. */
export type MatchingRow<Pattern extends EventPattern> = Selectable<ClerkTables[TableOf<Matching<Pattern>>]>

/** The input of a handler. */
export interface HandlerContext<Pattern extends EventPattern = '*'> {
  readonly event: MatchingEvent<Pattern>
  /** The svix-id; for a synthetic event, an id made by clerk-sync. */
  readonly eventId: string
  /** The source of the event: `webhook`, or what created it because no webhook arrived. */
  readonly source: EventSource
  /** The outcome of the event. A late `user.created` is `stale`, but its user still expects a welcome. */
  readonly outcome: Outcome
  /** The row as it is now, maybe newer than the event. Null if there is none. */
  readonly row: MatchingRow<Pattern> | null
  /** The fields that the event changed, with what they were before. Null if it changed none or created the row. */
  readonly changes: Readonly<Record<string, Change>> | null
  /** 1 for the first attempt, and again for the first after a manual retry. */
  readonly attempt: number
  /**
   * The same for every attempt of this handler with this event, and unique to it. For services that accept such keys.
   */
  readonly idempotencyKey: string
  /**
   * Whether the event's secrets (codes, links, passwords) were deleted because all its runs had ended; `event` has
   * `[redacted]` in their places.
   */
  readonly secretsForgotten: boolean
  /** Aborted at the timeout, when the lease is lost, and when the process stops. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Writes through it take effect exactly once. */
  readonly tx: HandlerTransaction
}

/** Your code. If it throws, the attempt has failed. */
export type Handler<Pattern extends EventPattern = '*'> = (context: HandlerContext<Pattern>) => unknown

export interface HandlerOptions {
  /**
   * The permanent identity of the handler: a renamed handler is a new one. Letters, digits, `_`, `-`, `.`.
   * @default the function's name
   */
  readonly name?: string | undefined
  /**
   * The number of retries after a failure, on Svix's schedule (5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h); or the delay
   * before each retry, in seconds. Each delay varies by a fifth. With 0 it is called at most once. Otherwise a database
   * failure or the end of a process does not count as an attempt: the handler runs again at once.
   * @default 7
   */
  readonly retries?: number | readonly number[] | undefined
  /**
   * The timeout of one attempt, in seconds.
   * @default 30
   */
  readonly timeoutSeconds?: number | undefined
  /**
   * The number of concurrent runs in each process.
   * @default 10
   */
  readonly concurrency?: number | undefined
  /**
   * Whether the events of one resource are handled one at a time, in the order in which they happened. A failing one
   * blocks later ones of its resource, also when it is dead, until it is retried or discarded.
   * @default false
   */
  readonly ordered?: boolean | undefined
  /**
   * Whether it gets `tx`. Set it to false for slow handlers, so that they cannot hold a transaction open.
   * @default true
   */
  readonly transactional?: boolean | undefined
  /**
   * Whether it runs for `email.created` and `sms.created` whose codes were deleted (see `secretsForgotten`). Otherwise
   * such a run ends as dead, so that no customer gets a message with `[redacted]`.
   * @default false
   */
  readonly acceptsForgottenSecrets?: boolean | undefined
}

/** A handler with its options checked and completed. Made by {@link on}. */
export interface HandlerDefinition {
  readonly name: string
  readonly patterns: readonly string[]
  readonly handle: Handler
  /** Seconds before each retry. */
  readonly retryDelays: readonly number[]
  readonly timeoutMs: number
  readonly concurrency: number
  readonly isOrdered: boolean
  readonly isTransactional: boolean
  readonly acceptsForgottenSecrets: boolean
}

/**
 * Describes a handler, for the option `handlers`. `sync.on` does the same and adds it.
 *
 * @example
 * on('user.created', async ({ event, tx }) => {
 *   await tx.query('insert into profiles (user_id) values ($1)', [event.data.id])
 * }, { name: 'profile' })
 *
 * @throws {ClerkSyncError} `handler_invalid`, `handler_event_unknown`
 */
export function on<Pattern extends EventPattern>(
  patterns: Pattern | readonly Pattern[],
  handle: Handler<Pattern>,
  options: HandlerOptions = {},
): HandlerDefinition {
  const name = options.name ?? deriveName(handle)
  if (!NAME.test(name))
    throw new ClerkSyncError('handler_invalid', `the name ${JSON.stringify(name.slice(0, 100))}`)
  const chosen: readonly string[] = typeof patterns === 'string' ? [patterns] : [...patterns]
  const unknown = chosen.map(patternFault).find(Boolean)
  if (unknown || chosen.length === 0) {
    throw new ClerkSyncError('handler_event_unknown', `${name} is for ${unknown ?? 'no event type at all'}`)
  }
  const { retries, timeoutSeconds = 30, concurrency = 10 } = options
  const delays = typeof retries === 'object' ? retries : [retries ?? 0]
  const fault =
    delays.map((delay) => numberFault('retries', delay, 'limit')).find(Boolean) ??
    numberFault('timeoutSeconds', timeoutSeconds, 'seconds') ??
    numberFault('concurrency', concurrency, 'count')
  if (fault) throw new ClerkSyncError('handler_invalid', `${name}: ${fault}`)
  return Object.freeze({
    name,
    patterns: chosen,
    handle: handle as unknown as Handler,
    retryDelays: retryDelays(retries),
    timeoutMs: timeoutSeconds * 1_000,
    concurrency,
    isOrdered: options.ordered ?? false,
    isTransactional: options.transactional ?? true,
    acceptsForgottenSecrets: options.acceptsForgottenSecrets ?? false,
  })
}

/** A queue's name as well, in every engine. */
const NAME = /^[\w.-]{1,100}$/

/** Bundlers shorten function names, differently in every build; such a name must not become an identity. */
const SHORTENED = /^.{0,2}$/

function deriveName({ name }: { readonly name: string }): string {
  if (!SHORTENED.test(name)) return name
  throw new ClerkSyncError('handler_invalid', 'it has no name, and its function has none that lasts')
}
