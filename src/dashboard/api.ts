/**
 * The dashboard's HTTP interface: every route with who may call it, what it takes and what it answers. Types only; the
 * browser imports them with `import type`, the server's `routes.ts` must satisfy them.
 *
 * All routes are below `{basePath}/api/`. They speak JSON, UTF-8, and are never cached. `{name}` in a path is one segment,
 * percent-encoded: ids hold what Clerk and Svix put there.
 *
 * **Who asks.** A session cookie that signing in sets, or `Authorization: Bearer <token>`, or whatever the host's
 * `authorize` looks at. 401 with {@link SignInProblem}: sign in. 403 `role_insufficient`: this role may not.
 *
 * **Writing** (everything but GET) needs the header `x-clerk-sync-csrf: 1` and comes from the dashboard's own origin;
 * otherwise 403 `request_forged`.
 *
 * **Errors** are a {@link Problem} with a status: 400 `request_invalid`, 401, 403, 404 `event_not_found` …, 409 for what
 * cannot be done now, 429 `too_many_attempts` with `retry-after`, 501 `feature_unavailable` (the message says what is
 * missing), 503 `database_…`. 503 `database_timeout`: the question was too large; narrow it.
 *
 * **Lists** take `cursor` (from `nextCursor`) and `limit` (1 to 100, 50 if absent). A cursor belongs to the filter that
 * it was given with.
 */

import type {
  AuditEntry,
  Check,
  Comparison,
  EventDetail,
  EventItem,
  EventOrigin,
  EventOutcome,
  FailureGroup,
  HandlerRun,
  HandlerSummary,
  JobDetail,
  JobSummary,
  Overview,
  PageOf,
  Problem,
  Quantity,
  RejectedGroup,
  ResolvedGroup,
  ResourceDetail,
  ResourceItem,
  ResourceKind,
  RunState,
  SearchHit,
  Setting,
  Time,
  Traffic,
} from '../inspect/model.ts'

export type * from '../inspect/model.ts'

/** Each role includes the ones before it. */
export type Role =
  /** Look, with personal data masked. */
  | 'viewer'
  /** Replay, retry, run now, pause, start jobs, reveal personal data. */
  | 'operator'
  /** Discard, abort jobs, apply Clerk's version, read the settings and the audit log. */
  | 'admin'

/** Every route. `anyone` needs no session. */
export interface Routes {
  // The session.
  'GET session': { role: 'viewer'; answer: Session }
  /** Signs in. 401 `token_wrong`, 429 `too_many_attempts`, 501 where the host's own sign-in counts. */
  'POST session': { role: 'anyone'; body: { token: string }; answer: Session }
  'DELETE session': { role: 'anyone'; answer: Done }

  // Overview.
  'GET overview': { role: 'viewer'; answer: Overview }
  /** At most 180 buckets; of ten minutes or more for what is over a week ago. `until` is now if absent. */
  'GET traffic': { role: 'viewer'; query: { since: Time; until?: Time }; answer: Traffic }
  /** A stream of server-sent events, each a {@link LiveMessage} as `data`. Poll `overview` and lists where it fails. */
  'GET live': { role: 'viewer'; stream: LiveMessage }
  /**
   * Exact ids, e-mail addresses, slugs, usernames, phone numbers, external ids and handlers first; then what begins with the
   * text; then names that hold its letters in order. At most 20 hits. Masked personal data is found by its exact value only,
   * unless the role is operator. `isPartial`: the tables were too large to look inside of names.
   */
  'GET search': {
    role: 'viewer'
    query: { q: string }
    answer: { hits: readonly SearchHit[]; isPartial: boolean }
  }

  // Events.
  'GET events': { role: 'viewer'; query: EventQuery & PageQuery; answer: PageOf<EventItem> }
  /** Stops counting at 10,000. */
  'GET events/count': { role: 'viewer'; query: EventQuery; answer: Quantity }
  /** The same list as a file, newest first and 10,000 at most: CSV, or an {@link EventItem} a line. */
  'GET events/export': { role: 'viewer'; query: EventQuery & { format?: ExportFormat }; stream: EventItem }
  'GET events/{id}': { role: 'viewer'; answer: EventDetail }
  /** With personal data. Audited. */
  'POST events/{id}/reveal': { role: 'operator'; answer: EventDetail }
  /** Applies it again. Harmless: the guard keeps newer rows. */
  'POST events/{id}/replay': { role: 'operator'; answer: { outcome: EventOutcome } }
  /** Tries a run now, whether it waits, failed for good, was discarded or succeeded. 404 `run_not_found`. */
  'POST events/{id}/runs/{handler}/retry': {
    role: 'operator'
    body: { note?: string }
    answer: HandlerRun
  }
  /** Decides that a run need not succeed. */
  'POST events/{id}/runs/{handler}/discard': {
    role: 'admin'
    body: { reason: string }
    answer: HandlerRun
  }

  // Resources.
  'GET resources': { role: 'viewer'; answer: { kinds: readonly ResourceKind[] } }
  'GET resources/{resource}': {
    role: 'viewer'
    query: ResourceQuery & PageQuery
    answer: PageOf<ResourceItem>
  }
  'GET resources/{resource}/{id}': { role: 'viewer'; answer: ResourceDetail }
  'POST resources/{resource}/{id}/reveal': { role: 'operator'; answer: ResourceDetail }
  /** Its events, newest first. */
  'GET resources/{resource}/{id}/history': {
    role: 'viewer'
    query: PageQuery
    answer: PageOf<EventItem>
  }
  /** Asks Clerk for it now. 501 without `CLERK_SECRET_KEY`. `reveal` needs the operator's role and is audited. */
  'POST resources/{resource}/{id}/compare': {
    role: 'viewer'
    body: { reveal?: boolean }
    answer: Comparison
  }
  /** Fetches it from Clerk and applies it under the same guard as events. */
  'POST resources/{resource}/{id}/apply': { role: 'admin'; answer: Comparison }

  // Failures and handlers.
  'GET failures': {
    role: 'viewer'
    answer: { groups: readonly FailureGroup[]; resolved: readonly ResolvedGroup[] }
  }
  /** The failing runs of a group, newest first. */
  'GET failures/runs': { role: 'viewer'; query: RunQuery & PageQuery; answer: PageOf<FailedRun> }
  /** Says nothing of a group for some hours; its runs are tried as before. */
  'POST failures/mute': {
    role: 'operator'
    body: { handler: string; fingerprint: string; hours: number; reason?: string }
    answer: Done
  }
  'POST failures/unmute': { role: 'operator'; body: { handler: string; fingerprint: string }; answer: Done }
  'GET handlers': { role: 'viewer'; answer: { handlers: readonly HandlerSummary[] } }
  'POST handlers/{handler}/pause': { role: 'operator'; body: { reason: string }; answer: HandlerSummary }
  'POST handlers/{handler}/resume': { role: 'operator'; answer: HandlerSummary }
  /** A release of your app started: for deploy scripts. The option `release` does the same by itself. */
  'POST releases': { role: 'operator'; body: { release: string }; answer: Done }
  /** The last 7 days, by code, the most recent first. */
  'GET rejected': { role: 'viewer'; answer: { groups: readonly RejectedGroup[]; since: Time } }

  // Jobs.
  'GET jobs': { role: 'viewer'; query: PageQuery; answer: PageOf<JobSummary> }
  'GET jobs/{id}': { role: 'viewer'; answer: JobDetail }
  /** Counts what a bulk action would touch, and freezes its range: give `until` on when starting it. */
  'POST jobs/count': { role: 'viewer'; body: BulkTarget; answer: BulkCount }
  /** 409 `job_running` if one of its kind runs. `discard` needs the admin's role. */
  'POST jobs': { role: 'operator'; body: NewJob; answer: JobSummary }
  'POST jobs/{id}/pause': { role: 'operator'; answer: JobSummary }
  'POST jobs/{id}/resume': { role: 'operator'; answer: JobSummary }
  'POST jobs/{id}/abort': { role: 'admin'; answer: JobSummary }

  // Health, settings, audit.
  'GET health': { role: 'viewer'; answer: { at: Time; checks: readonly Check[] } }
  'GET settings': { role: 'admin'; answer: { settings: readonly Setting[] } }
  'GET audit': { role: 'admin'; query: PageQuery; answer: PageOf<AuditEntry> }

  // The simulator, where `session.features.simulator` is true.
  'GET simulator': { role: 'operator'; answer: SimulatorState }
  /** Signs such an event and delivers it, as Svix would. */
  'POST simulator': {
    role: 'operator'
    body: { type: string; data: unknown }
    answer: { eventId: string; outcome: EventOutcome | 'duplicate' }
  }
  /** Lets things happen by themselves, or stops that, and says how often. 501 if the traffic is real. */
  'POST simulator/traffic': { role: 'operator'; body: Partial<TrafficState>; answer: TrafficState }
  /** Lets one of its scenarios happen, and waits until all its events were answered. */
  'POST simulator/scenarios/{scenario}': { role: 'operator'; answer: { events: number } }
}

export type RouteName = keyof Routes

/** What a route takes in its query string, in its body, and what it answers. */
export type QueryOf<Name extends RouteName> = Routes[Name] extends { query: infer Query } ? Query : undefined
export type BodyOf<Name extends RouteName> = Routes[Name] extends { body: infer Body } ? Body : undefined
export type AnswerOf<Name extends RouteName> = Routes[Name] extends { answer: infer Answer } ? Answer : never

export interface Done {
  readonly done: true
}

/** Who looks, at what, and what they may do here. */
export interface Session {
  readonly name: string
  readonly role: Role
  /** Whether there is a session to end. False where nobody signed in, or the host's own sign-in counts. */
  readonly canSignOut: boolean
  readonly version: string
  readonly environment: 'production' | 'development' | 'simulated'
  /** Clerk's instances, `ins_…`, as configured. */
  readonly instanceIds: readonly string[]
  readonly database: {
    readonly kind: 'postgres' | 'embedded'
    readonly name: string
    readonly schema: string
  }
  /** The server takes no actions: hide the buttons. */
  readonly isReadOnly: boolean
  /** Personal data is masked until it is revealed. */
  readonly isMasking: boolean
  /** What this server can do. What it cannot, answers 501 with the reason. */
  readonly features: Features
  /** The path of the webhook route, if this server has one. */
  readonly webhookPath: string | null
}

export interface Features {
  /** Clerk's Backend API can be asked: compare, apply, backfill, reconcile. */
  readonly clerkApi: boolean
  /** Runs can be retried, discarded, and handlers paused. */
  readonly handlers: boolean
  readonly simulator: boolean
  readonly doctor: boolean
  readonly settings: boolean
}

/** The body of a 401. */
export interface SignInProblem extends Problem {
  /** `token`: ask for it and `POST session`. `external`: the host signs people in, at `signInUrl` if it said where. */
  readonly signIn: 'token' | 'external'
  readonly signInUrl: string | null
}

export interface PageQuery {
  cursor?: string
  limit?: number
}

/** Which events. All conditions must hold; in a query string repeat a name to give several values. */
export interface EventQuery {
  /** Svix-ids. */
  id?: readonly string[]
  outcome?: readonly EventOutcome[]
  /** `user.created`, or `user.*` for all known ones of a kind. */
  type?: readonly string[]
  resource?: readonly string[]
  resourceId?: string
  source?: EventOrigin
  /** Events that have a run of this handler, in this state. `failing` means retrying or dead. */
  handler?: string
  run?: RunState | 'failing'
  /** Received at or after. */
  since?: Time
  /** Received before. */
  until?: Time
}

export type ExportFormat = 'csv' | 'ndjson'

/** `q`: exactly an id or the value of a searchable column. `deleted`: only deleted rows, or only live ones. */
export interface ResourceQuery {
  q?: string
  deleted?: boolean
}

export interface RunQuery {
  handler: string
  /** Absent: whatever failed. `null` is written as an empty value and means runs without one. */
  fingerprint?: string
  state?: 'retrying' | 'dead'
}

/** A failing run with the event that it is for. */
export interface FailedRun extends HandlerRun {
  readonly event: EventItem | null
}

/** What a bulk action is about. */
export type BulkTarget =
  | { readonly kind: 'replay'; readonly filter: EventQuery }
  | { readonly kind: 'retry' | 'discard'; readonly filter: RunFilter }

export interface RunFilter {
  handler: string
  fingerprint?: string | null
  state?: readonly ('retrying' | 'dead')[]
  /** Came up at or after, and before. */
  since?: Time
  until?: Time
}

export interface BulkCount {
  readonly count: Quantity
  readonly firstAt: Time | null
  readonly lastAt: Time | null
  /** How many runs are of events that have lost their codes and links: a retry shows handlers `[redacted]` there. */
  readonly secretsForgotten: Quantity
  /** The moment of counting: what comes later is not meant. */
  readonly until: Time
}

export type NewJob =
  | (BulkTarget & {
      /** From {@link BulkCount}. */
      readonly until: Time
      /** What the count said, for the audit log. */
      readonly expected: number
      /** Runs or events per second, oldest first; 20 if absent. */
      readonly perSecond?: number
      /** Stops after this many consecutive failures; never if absent. */
      readonly stopAfterFailures?: number
      /** Required to discard. */
      readonly reason?: string
    })
  | {
      readonly kind: 'backfill'
      /** Absent: all that Clerk can list. */
      readonly resources?: readonly string[]
      readonly dryRun?: boolean
    }
  | {
      readonly kind: 'reconcile'
      readonly resources?: readonly string[]
      /** Only compare. */
      readonly dryRun?: boolean
    }

export interface SimulatorState {
  readonly types: readonly SimulatorType[]
  /** Null where nothing happens by itself. */
  readonly traffic: TrafficState | null
  readonly scenarios: readonly Scenario[]
}

export interface TrafficState {
  readonly isRunning: boolean
  /** How many things happen a second; up to 100. */
  readonly perSecond: number
}

export interface Scenario {
  readonly name: string
  /** `50 people sign up` */
  readonly text: string
}

export interface SimulatorType {
  readonly type: string
  /** The `data` of a sample event. */
  readonly sample: unknown
}

export type LiveMessage =
  /** New events, oldest first. `skipped`: how many more arrived; a list shows them. */
  | { readonly kind: 'events'; readonly events: readonly EventItem[]; readonly skipped: number }
  /** The overview changed. Sent at most once in two seconds. */
  | { readonly kind: 'overview'; readonly overview: Overview }
  /** Jobs that began, moved on or ended. */
  | { readonly kind: 'jobs'; readonly jobs: readonly JobSummary[] }
