/**
 * The read model of the dashboard and the command line, as JSON types. It has no imports, so that the browser build can
 * read it.
 *
 * Three rules hold everywhere: a time is ISO 8601 in UTC; what is not known is null and never 0; a number that was not
 * counted to its end says so.
 */

/** A moment: `2026-11-24T08:30:00.000Z`. */
export type Time = string

/** A number, and how well it is known. */
export interface Quantity {
  /** Null: not known. */
  readonly value: number | null
  /** Show it with “≈”: it comes from statistics. */
  readonly isEstimate: boolean
  /** Show it with “+”: counting stopped there. */
  readonly isAtLeast: boolean
}

/** One page of a list, newest first. */
export interface PageOf<Item> {
  readonly items: readonly Item[]
  /** Where the next page starts; null on the last one. Opaque. */
  readonly nextCursor: string | null
}

// The state of the whole.

/**
 * - `empty`: no event was received yet, see the checklist
 * - `healthy`
 * - `degraded`: handlers fail, or events were not applied
 * - `blind`: no event for much longer than usual
 * - `down`: the database does not answer, or lacks its tables
 */
export type HealthState = 'empty' | 'healthy' | 'degraded' | 'blind' | 'down'

/** The one sentence that the dashboard and `clerk-sync status` begin with. */
export interface Status {
  readonly state: HealthState
  /** `37 events have failed in handler syncCrm since 14:02 UTC: connection refused.` Times in it are UTC, unless a time zone was given. */
  readonly sentence: string
  /** A second one, about the data: `User and organization rows are current. Nothing is lost.` */
  readonly data: string
  /** Since when; null if always or unknown. */
  readonly since: Time | null
  /** What to do about it, most useful first. */
  readonly suggestions: readonly Suggestion[]
}

/** A button. The interface knows how to do each. */
export type Suggestion =
  | { readonly action: 'open_failures'; readonly handler: string | null; readonly count: Quantity }
  | { readonly action: 'pause_handler'; readonly handler: string }
  | { readonly action: 'retry_one'; readonly handler: string; readonly eventId: string }
  | { readonly action: 'open_events'; readonly outcome: EventOutcome; readonly count: Quantity }
  | { readonly action: 'open_rejected'; readonly code: string }
  | { readonly action: 'open_clerk_deliveries' }
  | { readonly action: 'send_test_event' }
  | { readonly action: 'run_checks' }

export interface Overview {
  readonly at: Time
  readonly status: Status
  /** When the first stored event arrived; null before it. */
  readonly firstEventAt: Time | null
  /** Null before the first event. */
  readonly lastEvent: { readonly id: string; readonly type: string | null; readonly receivedAt: Time } | null
  /** From the event's own time to its row, over the last hour, in milliseconds. */
  readonly lag: Lag
  /** Runs that wait for their first or next attempt. */
  readonly waiting: { readonly count: Quantity; readonly oldestAt: Time | null }
  readonly notApplied: {
    /** Events that the database rejected. */
    readonly failed: Quantity
    /** Parked events. */
    readonly parked: Quantity
    /** Runs that exhausted their retries. */
    readonly dead: Quantity
    /** Rejected requests in the last 24 hours. */
    readonly rejected: Quantity
  }
  /** The worst first, 5 at most. */
  readonly failing: readonly FailureGroup[]
  /** The runs of all groups, muted ones apart. */
  readonly failingRuns: Quantity
  readonly resources: readonly ResourceCount[]
  /** Those that run or are paused. */
  readonly jobs: readonly JobSummary[]
  /** The steps of a new installation; null once all of them are done. */
  readonly checklist: readonly ChecklistStep[] | null
}

export interface Lag {
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

export interface ChecklistStep {
  readonly step: 'receiver_up' | 'secret_set' | 'first_event' | 'backfill'
  readonly isDone: boolean
  /** What to do, or what was found. */
  readonly text: string
}

/** A table: how many live rows it has, and how many Clerk has. */
export interface ResourceCount {
  readonly resource: string
  readonly here: Quantity
  /** As of the last backfill or reconcile that counted; null if none did. */
  readonly clerk: number | null
  /** How many rows differ from Clerk's, are missing or too many, as of `checkedAt`; null: never compared. */
  readonly drift: number | null
  /** The last reconcile: a backfill compares nothing. */
  readonly checkedAt: Time | null
  /** Whether its events are applied. */
  readonly isEnabled: boolean
}

/** The events of a range in equal buckets, oldest first, empty ones included. */
export interface Traffic {
  readonly since: Time
  readonly until: Time
  readonly bucketSeconds: number
  readonly points: readonly TrafficPoint[]
  /** The releases whose first process started in the range, oldest first; the newest 50. */
  readonly releases: readonly Release[]
}

/** A release of your app, by the option `release`. */
export interface Release {
  readonly release: string
  readonly at: Time
}

export interface TrafficPoint {
  /** The bucket's start. */
  readonly at: Time
  readonly applied: number
  readonly stale: number
  readonly ignored: number
  readonly parked: number
  readonly failed: number
  readonly duplicate: number
  readonly rejected: number
  /** Handler runs of this bucket's events that are failing now. */
  readonly handlerFailed: number
  readonly lag: Lag
}

// Events.

export type EventOutcome = 'applied' | 'stale' | 'ignored' | 'parked' | 'failed'

export type EventOrigin = 'webhook' | 'backfill' | 'reconcile' | 'existing'

/** The state of a handler run. `pending`, `retrying` and `running` are open; `dead` needs attention. */
export type RunState = 'pending' | 'running' | 'retrying' | 'succeeded' | 'dead' | 'discarded'

/** An event in a list. */
export interface EventItem {
  readonly id: string
  readonly type: string | null
  readonly receivedAt: Time
  /** When it happened, by Clerk's clock. */
  readonly occurredAt: Time
  readonly source: EventOrigin
  readonly outcome: EventOutcome
  /** Why it was not applied: a stable code, and the sentence for it. */
  readonly reason: { readonly code: string; readonly text: string } | null
  /** The resource it is about; null if unknown. */
  readonly subject: Subject | null
  readonly deliveries: number
  /** How many fields of the row it changed. */
  readonly changedFields: number
  /** Its handlers' runs by state; states without runs are absent. Empty: no handler wanted it. */
  readonly runs: Readonly<Partial<Record<RunState, number>>>
  /** The next attempt among its runs; null if none waits. */
  readonly nextTryAt: Time | null
}

/** A resource, named for people. */
export interface Subject {
  /** The table. */
  readonly resource: string
  readonly id: string
  /** An e-mail address (masked, unless revealed), a name or a slug; null if the row has none or is not there. */
  readonly label: string | null
  /** A second name: a user's full name (masked as the label is), the organization of a membership. */
  readonly detail: string | null
}

export interface EventDetail extends EventItem {
  /** `Row saved. Handler syncCrm failed 3 times: connect ECONNREFUSED 10.0.3.7:443` */
  readonly sentence: string
  readonly instanceId: string | null
  /** The database error of a rejected event. */
  readonly error: string | null
  readonly lastDeliveredAt: Time | null
  /** A later delivery had the same id and another body; the first one counts. */
  readonly hasBodyConflict: boolean
  readonly replayedAt: Time | null
  /** Oldest first. */
  readonly timeline: readonly TimelineStep[]
  /** The row's fields that it changed. Masked like the payload. */
  readonly changes: readonly FieldChange[]
  readonly body: Body
  /** The request's headers, if they were kept. Nothing of a signature. */
  readonly headers: Readonly<Record<string, string>> | null
  readonly handlerRuns: readonly HandlerRun[]
  /** Other events of the same resource, newest first, 20 at most. */
  readonly related: readonly EventItem[]
  /** The command that sends such an event to a receiver of one's own; null if the type is unknown. */
  readonly triggerCommand: string | null
}

export interface Body {
  /** As it was signed, or as far as it may be shown; null: no longer kept. */
  readonly text: string | null
  readonly bytes: number | null
  /** When retention deleted it; null if it is kept, or was removed otherwise. */
  readonly forgottenAt: Time | null
  readonly sha256: string
  /** Personal data in it is replaced. */
  readonly isMasked: boolean
  /** One-time codes and tickets were removed before it was stored. */
  readonly isRedacted: boolean
  /** It is JSON. Otherwise show it as text. */
  readonly isJson: boolean
}

export interface FieldChange {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

export interface TimelineStep {
  readonly at: Time
  readonly step:
    | 'occurred'
    | 'received'
    | 'verified'
    | 'stored'
    | 'row'
    | 'delivered_again'
    | 'replayed'
    | 'run_failed'
    | 'run_started'
    | 'run_succeeded'
    | 'run_dead'
    | 'run_discarded'
    | 'run_due'
  readonly text: string
  readonly tone: 'neutral' | 'good' | 'warning' | 'bad'
  readonly handler: string | null
  readonly durationMs: number | null
  /** It lies in the future. */
  readonly isPlanned: boolean
}

/** One handler's run for one event. */
export interface HandlerRun {
  readonly eventId: string
  readonly handler: string
  readonly state: RunState
  /** How often it was tried since it was begun, or begun again by somebody. */
  readonly attempts: number
  /** Null once it is over. */
  readonly nextTryAt: Time | null
  readonly startedAt: Time | null
  readonly finishedAt: Time | null
  readonly worker: string | null
  readonly error: string | null
  readonly fingerprint: string | null
  readonly note: string | null
  /** The failed tries that are kept, oldest first. */
  readonly failures: readonly RunFailure[]
  /** So many of them, the first, are from before somebody began it again. */
  readonly earlierFailures: number
}

export interface RunFailure {
  readonly attempt: number
  readonly startedAt: Time
  readonly failedAt: Time
  readonly worker: string | null
  readonly error: string
}

// Resources.

/** What tables there are, and what can be searched in each. */
export interface ResourceKind {
  readonly resource: string
  /** `Everyone who signed up.` */
  readonly description: string
  /** The columns that a search looks in, beside the id: `primary_email_address`, `slug`, … */
  readonly searchable: readonly string[]
  /** The sets within it that have tables of their own: `email_addresses`, … */
  readonly children: readonly string[]
  readonly isEnabled: boolean
  readonly count: Quantity
}

/** A row in a list. */
export interface ResourceItem extends Subject {
  readonly clerkCreatedAt: Time | null
  readonly clerkUpdatedAt: Time | null
  readonly syncedAt: Time
  readonly deletedAt: Time | null
  /** The event that wrote it. */
  readonly eventId: string | null
}

export interface ResourceDetail extends ResourceItem {
  readonly instanceId: string | null
  /** When Clerk showed this state; null for a resource that was never seen alive. */
  readonly observedAt: Time | null
  /** Our row: column → value, masked unless revealed. */
  readonly row: Readonly<Record<string, unknown>>
  /** Clerk's JSON as it was received; null as `observedAt`. */
  readonly raw: string | null
  readonly isMasked: boolean
  readonly children: readonly {
    readonly table: string
    readonly rows: readonly Readonly<Record<string, unknown>>[]
  }[]
  /** What belongs to it, or it to: memberships, sessions, its organization, … */
  readonly links: readonly ResourceLink[]
  /** Where Clerk's dashboard shows it; null if it has no page there. */
  readonly clerkUrl: string | null
  readonly sql: string
}

export interface ResourceLink {
  readonly resource: string
  /** The column that holds the tie, on the other side or here. */
  readonly column: string
  readonly items: readonly ResourceItem[]
  readonly hasMore: boolean
}

/** Our row beside Clerk's, field by field, asked for just now. */
export interface Comparison {
  readonly at: Time
  /**
   * - `same`, `different`
   * - `missing_here`: Clerk has it, we do not
   * - `missing_in_clerk`: we have a live row, Clerk has none
   * - `deleted`: neither has it any more
   * - `unavailable`: Clerk did not answer, or has no endpoint for it; see `problem`
   */
  readonly result: 'same' | 'different' | 'missing_here' | 'missing_in_clerk' | 'deleted' | 'unavailable'
  /** The differing ones first. Masked unless revealed. */
  readonly fields: readonly ComparedField[]
  readonly isMasked: boolean
  /** Why the rows probably differ. */
  readonly cause: string | null
  readonly problem: Problem | null
}

export interface ComparedField {
  readonly field: string
  readonly here: unknown
  readonly clerk: unknown
  readonly isEqual: boolean
}

// What went wrong.

/** The failing runs of one handler that fail alike. */
export interface FailureGroup {
  readonly handler: string
  /** The same for errors that differ only in ids and numbers. Null: the error has none. */
  readonly fingerprint: string | null
  /** The newest error of the group. */
  readonly error: string | null
  /** The same in plain words: `connection refused (10.0.3.7:443)`. */
  readonly cause: string
  /** Runs with a scheduled retry. */
  readonly retrying: Quantity
  /** Runs that are not. */
  readonly dead: Quantity
  /** When the oldest and the newest of its runs came up. */
  readonly firstAt: Time
  readonly lastAt: Time
  /** The number of runs by hour, the last 24 hours, oldest first. */
  readonly sparkline: readonly number[]
  readonly isPaused: boolean
  /** The end of its mute: until then the status does not mention it. */
  readonly mutedUntil: Time | null
  /** The release that started within a day before the first of its runs failed; null: none did. */
  readonly release: string | null
  /** One of its events, to try a fix with. */
  readonly sampleEventId: string
}

/** A group whose runs have all succeeded since, within a week. */
export interface ResolvedGroup {
  readonly handler: string
  /** The newest error of the group. */
  readonly error: string
  /** The same in plain words. */
  readonly cause: string
  readonly runs: Quantity
  /** When the first of its runs failed. */
  readonly firstAt: Time
  /** When the last of its runs succeeded. */
  readonly resolvedAt: Time
  /** One of its events. */
  readonly sampleEventId: string
}

/** Requests that were not deliveries, by cause. */
export interface RejectedGroup {
  /** `signature_mismatch`, … */
  readonly code: string
  readonly summary: string
  readonly remedy: string
  readonly count: number
  readonly firstAt: Time
  readonly lastAt: Time
  /** The latest of them, newest first; nothing secret in them. */
  readonly samples: readonly RejectedSample[]
}

export interface RejectedSample {
  readonly at: Time
  readonly status: number
  /** What made this case specific, such as by how many seconds the clocks differ. */
  readonly message: string
  /** Null if it was not kept: one request a second is described of each group. */
  readonly request: RejectedRequest | null
}

/** A rejected request, without secrets and personal data. */
export interface RejectedRequest {
  /** By name in lower case. The values of headers that may be credentials are hidden. */
  readonly headers: Readonly<Record<string, string>>
  /** The size of the body; null if it was neither declared nor read. */
  readonly bytes: number | null
  /** The address of the socket's other end; null where the framework does not tell it. */
  readonly source: string | null
  /** The body's first 500 characters, masked; null if it was not read. */
  readonly body: string | null
  /** The cause of a signature mismatch. */
  readonly mismatchCause: { readonly code: string; readonly summary: string; readonly remedy: string } | null
}

// Handlers and jobs.

export interface HandlerSummary {
  readonly name: string
  /** Null: registered in no process that this one knows of; only its runs are known. */
  readonly patterns: readonly string[] | null
  readonly isPaused: boolean
  readonly pausedAt: Time | null
  readonly pauseReason: string | null
  readonly waiting: Quantity
  readonly dead: Quantity
}

export type JobKind = 'backfill' | 'reconcile' | 'replay' | 'retry' | 'discard'

/** `incomplete`: it came to its end without all that it expected. */
export type JobState =
  | 'running'
  | 'paused'
  | 'aborting'
  | 'done'
  | 'incomplete'
  | 'aborted'
  | 'failed'
  | 'lost'

export interface JobSummary {
  readonly id: string
  /** One of {@link JobKind}, or one that this version does not know. */
  readonly kind: string
  readonly state: JobState
  /** `Retry handler syncCrm for 3,117 events, oldest first.` */
  readonly title: string
  readonly startedBy: string | null
  readonly startedAt: Time
  readonly finishedAt: Time | null
  /** The last heartbeat of the job. */
  readonly updatedAt: Time
  readonly done: number | null
  readonly total: Quantity
  readonly error: string | null
}

export interface JobDetail extends JobSummary {
  /** Per resource, or one line for a job about events. */
  readonly lines: readonly JobLine[]
  /** Per second, over the whole run; null before there is one. */
  readonly rate: number | null
  readonly etaSeconds: number | null
  /** `inserted`, `unchanged`, `failed`, …: how often. */
  readonly counts: Readonly<Record<string, number>>
  /** The scope of the job and its report, as stored. */
  readonly scope: unknown
  readonly report: unknown
  readonly canPause: boolean
  readonly canAbort: boolean
}

export interface JobLine {
  readonly name: string
  readonly state: 'waiting' | 'running' | 'done' | 'incomplete' | 'disabled' | 'failed'
  readonly done: number
  readonly total: number | null
  readonly failed: number
}

// Health, settings, audit.

/** A check of the doctor. */
export interface Check {
  readonly name: string
  readonly group: string
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  /** A stable code of the problem; null if there is none. */
  readonly code: string | null
  readonly message: string
  readonly detail: string | null
  readonly remedy: string | null
}

/** The effective value of an option. Secrets are redacted. */
export interface Setting {
  readonly option: string
  readonly value: unknown
  /** `DATABASE_URL in .env.local`, `default`, … */
  readonly origin: string
  /** Other sources with a value, which are overridden. */
  readonly insteadOf: readonly string[]
}

/** An entry of the audit log. */
export interface AuditEntry {
  readonly id: string
  readonly at: Time
  readonly actor: string
  readonly role: string
  /** `replay`, `discard`, `reveal`, `sign_in`, … */
  readonly action: string
  /** `events/msg_…`, `handlers/syncCrm`, … */
  readonly target: string | null
  readonly reason: string | null
  readonly details: unknown
  /** False: it was refused or failed. */
  readonly succeeded: boolean
}

/** What a search found. */
export interface SearchHit {
  readonly kind: 'event' | 'resource' | 'handler' | 'job'
  readonly id: string
  /** Of a resource: its table. */
  readonly resource: string | null
  readonly title: string
  /** Which field matched: `id`, `slug`, `email_addresses.email_address`, … */
  readonly field: string
}

/** A problem and its remedy. */
export interface Problem {
  /** Stable: branch on this. */
  readonly code: string
  readonly message: string
  readonly remedy: string
}
