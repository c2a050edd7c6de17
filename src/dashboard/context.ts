/** The dependencies of every dashboard route. */

import { ClerkSyncError } from '../errors.ts'
import type { ClerkSync } from '../index.ts'
import type { Reading, ReadSource } from '../inspect/reading.ts'
import { read } from '../inspect/reading.ts'
import { isId } from '../validate.ts'
import type { AnswerOf, Check, RouteName, Routes, Scenario, Session, Setting, TrafficState } from './api.ts'
import type { AuditLog } from './audit.ts'
import type { Live } from './live.ts'
import type { Principal } from './principal.ts'
import type { Fields } from './request.ts'
import type { Work } from './work.ts'

/** Sends events as Svix would, while developing. */
export interface Simulator {
  /** Event types with the `data` of a sample event. */
  readonly types: readonly { readonly type: string; readonly sample: unknown }[]
  send(type: string, data: unknown): Promise<{ eventId: string; outcome: SentOutcome }>
  /** Generated traffic, if there is any. */
  readonly traffic?: SimulatedTraffic | undefined
}

/** A simulated Clerk in which something happens all the time. */
export interface SimulatedTraffic extends TrafficState {
  /** The scenarios that can be played. */
  readonly scenarios: readonly Scenario[]
  change(to: Partial<TrafficState>): void
  /** Plays a scenario; resolves with the number of its events once all were answered. */
  play(scenario: string): Promise<number>
}

type SentOutcome = AnswerOf<'POST simulator'>['outcome']

export interface DashboardContext {
  readonly sync: ClerkSync
  readonly source: ReadSource
  /** For queries that tolerate replication lag: a replica, if there is one. */
  readonly replica: ReadSource
  readonly work: Work
  readonly audit: AuditLog
  readonly live: Live
  /** Whether personal data is hidden until it is revealed. */
  readonly isMasking: boolean
  readonly isReadOnly: boolean
  readonly checks: (() => Promise<readonly Check[]>) | undefined
  readonly settings: (() => readonly Setting[] | Promise<readonly Setting[]>) | undefined
  readonly simulator: Simulator | undefined
  /** The rest of the session's answer. */
  readonly about: Pick<Session, 'version' | 'environment' | 'webhookPath'>
}

/** One request, admitted and read. */
export interface Call extends DashboardContext {
  readonly request: Request
  readonly principal: Principal
  /** The `{name}`s of the path. */
  readonly names: Readonly<Record<string, string>>
  readonly query: Fields
  readonly body: Fields
}

type Answer<Name extends RouteName> = Routes[Name] extends { stream: unknown } ? Response : AnswerOf<Name>

/** A route: the role it needs, and its handler. */
type Endpoint<Name extends RouteName> = readonly [
  role: Routes[Name]['role'],
  answer: (call: Call) => Promise<Answer<Name>>,
]

/** A part of the routes. */
export type Endpoints<Name extends RouteName> = { readonly [each in Name]: Endpoint<each> }

/** A query that tolerates replication lag: lists, charts and searches. */
export function browse<Result>(
  call: DashboardContext,
  work: (reading: Reading) => Promise<Result>,
): Promise<Result> {
  return read(call.replica, work)
}

/** A query that must see the latest writes. */
export function ask<Result>(
  call: DashboardContext,
  work: (reading: Reading) => Promise<Result>,
): Promise<Result> {
  return read(call.source, work)
}

/**
 * A `{name}` of the path.
 * @throws {ClerkSyncError} `request_invalid`
 */
export function nameIn({ names }: Call, name: string): string {
  const value = names[name]
  if (isId(value)) return value
  throw new ClerkSyncError('request_invalid', `${name} in the path must be a text of 400 characters at most`)
}
