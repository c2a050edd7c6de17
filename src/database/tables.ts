/**
 * The types of every table, derived from the catalogue, so that people query `clerk.users` with types.
 *
 * @example
 * import { Kysely } from 'kysely'
 * import type { ClerkSchema } from 'clerk-sync'
 *
 * const db = new Kysely<ClerkSchema<'clerk'> & MyTables>({ … })
 * await db.selectFrom('clerk.users').select(['id', 'primary_email_address']).where('deleted_at', 'is', null).execute()
 */

import type { ColumnType, Generated } from 'kysely'
import type { CATALOGUE, CHILD_SETS } from '../clerk/catalogue.ts'
import type { Payload } from '../clerk/payloads.ts'
import type { Column, Columns } from '../clerk/resource.ts'
import type { Reason } from '../explanations/reasons.ts'

type Values<C extends Columns> = {
  [name in keyof C]: C[name] extends Column<infer Value> ? Value | null : never
}

/** What every mirrored table has beside its resource's own columns. */
export interface MirroredRow {
  /** Clerk's id. */
  id: string
  /**
   * The resource's JSON, exactly as Clerk sent it. Null for a deleted resource that was never seen alive; a string with its hash
   * for one that was anonymised.
   */
  raw: Payload | null
  clerk_created_at: Date | null
  clerk_updated_at: Date | null
  /** When Clerk showed this state: the event's time, or the time of the API request. Null as `raw`. */
  observed_at: Date | null
  /** When the resource was deleted. Rows of deleted resources stay, unless `deletion` says `hard`: filter by `deleted_at is null`. */
  deleted_at: Date | null
  /** When this row was last written. */
  synced_at: Generated<Date>
  /** What wrote this row: an event, `events.id`, or a job, `jobs.id`; null for a single look at Clerk. */
  event_id: string | null
  instance_id: string | null
}

/** What a resource's table has besides, and the table of a set has not. */
interface ErasableRow {
  /** When the row was erased: only ids and times are left, and nothing fills it again. */
  erased_at: Date | null
}

type ResourceTables = {
  [name in keyof typeof CATALOGUE]: MirroredRow & ErasableRow & Values<(typeof CATALOGUE)[name]['columns']>
}

/** The other fields of a member are in its parent's `raw`, and who showed it last is in its parent's row. */
type ChildTables = {
  [name in keyof typeof CHILD_SETS]: Omit<MirroredRow, 'raw' | 'observed_at' | 'event_id'> &
    ParentId<(typeof CHILD_SETS)[name]['parentColumn']> &
    Values<(typeof CHILD_SETS)[name]['columns']>
}

/** Whose set it is. */
type ParentId<Column extends string> = { [name in Column]: string }

type MirroredTables = ResourceTables & ChildTables

/** Views of the tables, without what was deleted. */
type LiveViews = { [name in keyof MirroredTables as `${name}_live`]: MirroredTables[name] }

/** The outcome of an event. */
export type Outcome =
  /** Its state is in the tables. */
  | 'applied'
  /** The row is newer, or its resource was deleted; the row was kept. */
  | 'stale'
  /** Its resource is not among the configured ones. */
  | 'ignored'
  /** It could not be used as it is. */
  | 'parked'
  /** The database refused it; replay it after the fix. */
  | 'failed'

/** A changed field: what it was, and what it became. */
export interface Change {
  from: unknown
  to: unknown
}

/** The ledger: one row per message of Svix, for ever. Bodies and changes, which are forgotten, have tables of their own. */
export interface EventsTable {
  /** The svix-id. */
  id: string
  type: string | null
  /** The table it is about. */
  resource: string | null
  resource_id: string | null
  instance_id: string | null
  /** When it happened, by Clerk's clock. */
  occurred_at: Date
  /** When it was stored, by the database's clock. */
  received_at: Generated<Date>
  outcome: Outcome
  reason: Reason | null
  /** What the database said, for failed events. */
  error: string | null
  /** How often it was delivered. */
  deliveries: Generated<number>
  last_delivered_at: Date | null
  /** A later delivery came with the same id and another body; the first one counts. */
  body_conflict: Generated<boolean>
  /** The hash of the event's body; it stays when the body is forgotten. */
  body_sha256: Buffer
  /** One-time codes or tickets were removed from the body. */
  redacted: Generated<boolean>
  replayed_at: Date | null
  /** The span of its first delivery, as in the W3C header `traceparent`: handler runs continue its trace. */
  traceparent: string | null
  /** The source of the event. Only `webhook` events were sent by Clerk; the others are synthetic. */
  source: Generated<EventSource>
  /** The body with its secrets, for as long as handlers need it. Null for an event without secrets or handlers. */
  secret_body: ColumnType<Buffer | null, Uint8Array | null, null>
}

/** When an event's body or changes were filed: its `received_at`; infinity once a run of it has outlived the partition. */
type FiledAt = ColumnType<Date | number, Date | undefined, never>

/** The bodies of events, in partitions by time, for as long as retention keeps them. */
export interface EventBodiesTable {
  event_id: string
  filed_at: FiledAt
  /** The bytes as they were signed, or without secrets if the event is `redacted`. */
  body: ColumnType<Buffer, Uint8Array, Uint8Array>
}

/** What events changed, in partitions by time. No row for an event that changed no field or created its row. */
export interface EventChangesTable {
  event_id: string
  filed_at: FiledAt
  /** The fields of the resource that the event changed. */
  changes: ColumnType<Record<string, Change>, string, string>
}

/** Where an event came from. */
export type EventSource =
  /** Clerk sent it. */
  | 'webhook'
  /** A backfill or reconcile found a change for which no webhook arrived. */
  | 'backfill'
  | 'reconcile'
  /** Made of an existing row, to run a handler for what was there before it. */
  | 'existing'

/** The state of a handler run. */
export type RunStatus =
  /** It waits for its first try. */
  | 'pending'
  | 'running'
  /** It failed and waits for its next try. */
  | 'retrying'
  | 'succeeded'
  /** It exhausted its retries; retry it after the fix, or discard it. */
  | 'dead'
  /** Somebody decided that it needs not succeed. */
  | 'discarded'

/** One failed try of a run. */
export interface FailedAttempt {
  attempt: number
  startedAt: string
  failedAt: string
  worker: string | null
  error: string
}

/** The runs of handlers: one row per event and handler. */
export interface HandlerRunsTable {
  event_id: string
  handler: string
  status: Generated<RunStatus>
  /** How often it was tried since it was begun, or begun again by somebody; the current try included. */
  attempts: Generated<number>
  /** When the next attempt is due; null if none is. */
  due_at: Generated<Date | null>
  /** Names the try that may write the run's end; a later claim fences an earlier one out. */
  claim: string | null
  /** The worker that runs it, or ran it last: its host, its process and an id of its own. */
  worker: string | null
  /** The resource whose events an ordered handler takes one after the other. */
  order_key: string | null
  occurred_at: Date
  created_at: Generated<Date>
  started_at: Date | null
  finished_at: Date | null
  /** The error of the last failed try. */
  error: string | null
  /** The same for errors that differ only in ids and numbers. */
  fingerprint: string | null
  /** The failed tries, newest last; the last ten. */
  history: FailedAttempt[] | null
  /** Why somebody discarded or retried it. */
  note: string | null
}

/** The workers that run handlers, each with a lease that it extends. */
export interface HandlerWorkersTable {
  id: string
  /** A worker that is silent for longer has lost its runs. For one that has ended, its end. */
  lease_until: Date
  /** It gave its lease up and left no run. The latest such row is kept: it says when a worker was last seen. */
  has_ended: Generated<boolean>
}

/** Settings of handlers, by name. */
export interface HandlersTable {
  name: string
  /** Since when its runs wait. */
  paused_at: Date | null
  pause_reason: string | null
}

/** Where a job stands. */
export type JobStatus =
  /** Somebody works on it; if its lease is over, nobody does any more, and the next run goes on. */
  | 'running'
  /** Everything was done. */
  | 'complete'
  /** It came to its end, but not everything was done: `progress` and `error` say what is missing. */
  | 'incomplete'
  /** An error ended it. */
  | 'failed'
  /** Somebody stopped it. */
  | 'aborted'

/** Work that takes long: backfills, reconciles, bulk replays. One of a kind runs at a time. */
export interface JobsTable {
  /** `job_…` */
  id: string
  /** `backfill`, `reconcile`, … */
  kind: string
  status: JobStatus
  /** The scope of the job; a run with the same scope resumes an earlier one. */
  scope: ColumnType<unknown, string, never>
  /** Where to go on, in the terms of its kind. */
  checkpoint: ColumnType<unknown, string | null, string | null>
  /** How far it is: counts, in the terms of its kind. */
  progress: ColumnType<unknown, string, string>
  /** What it found, in the terms of its kind. */
  report: ColumnType<unknown, string | null, string | null>
  error: ColumnType<{ code: string; message: string } | null, string | null, string | null>
  /** Who works on it: host and process. */
  worker: string | null
  /** Until then the worker counts as alive. */
  lease_until: Date | null
  /** How many runs it took so far. */
  runs: Generated<number>
  created_at: Generated<Date>
  /** When the latest run began. */
  started_at: Generated<Date>
  /** When it was last heard of. */
  updated_at: Generated<Date>
  finished_at: Date | null
}

/** The ids that a sweep has seen: rows with other ids are missing from Clerk's list. */
export interface SweepSeenIdsTable {
  job_id: string
  resource: string
  id: string
}

/**
 * When the last complete sweep of a resource began, by Clerk's clock: the table holds everything that Clerk had then.
 */
export interface SweepStartsTable {
  resource: string
  /** The Clerk instance that was read; empty if it is not known. */
  instance_id: string
  started_at: Date
}

/** Rows to verify with Clerk: an event older than the last sweep inserted them, and the sweep did not find them. */
export interface PendingVerificationsTable {
  resource: string
  id: string
  /** When somebody began to ask; null if nobody has. */
  asked_at: Date | null
}

/** What was deleted under the policy `hard`: the row is gone, and nothing that arrives later makes it again. */
export interface TombstonesTable {
  /** The table that had the row. */
  resource: string
  id: string
  deleted_at: Date
  /** The event that brought the deletion; null for a look at Clerk. */
  event_id: string | null
  instance_id: string | null
}

/** Deletions that a job continues: their parents had too many dependants for one transaction. */
export interface PendingCascadesTable {
  /** The table of the dependants, and its column that names the deleted parent. */
  resource: string
  parent_column: string
  parent_id: string
  /** The dependants are done up to this id. */
  after_id: Generated<string>
}

/** Who does the maintenance, and when it was last done. One row. */
export interface MaintenanceTable {
  id: Generated<number>
  holder: string | null
  lease_until: Date
  ended_at: Date | null
}

/** When parts of events were forgotten. */
export interface RetentionLogTable {
  part: 'event_bodies' | 'event_changes'
  /** Those of events that were received before. */
  received_before: Date
  forgotten_at: Generated<Date>
}

/** When the next request to Clerk's Backend API may be sent, by a hash of the secret key. */
export interface ApiBudgetsTable {
  key: string
  next_at: Date
}

/** The number of events in each minute, by their first outcome. */
export interface EventMinutesTable {
  minute: Date
  /** The server process of the connection that counted: connections do not wait for each other. Add them up. */
  backend: number
  outcome: Outcome | 'duplicate'
  /** The lag of webhooks, in steps of √2 milliseconds; -1 for events without a lag. */
  lag_step: number
  events: number
}

/** The same in spans of ten minutes, for charts of a day and more, and kept for longer. Written by maintenance. */
export interface EventSpansTable {
  /** Its start. */
  span: Date
  /** `rejected`: requests that were no deliveries, from `refusals`. */
  outcome: Outcome | 'duplicate' | 'rejected'
  lag_step: number
  events: number
}

/** The releases of your app, and when the first process of each started. */
export interface ReleasesTable {
  release: string
  started_at: Generated<Date>
}

/** Of headers that may be credentials only the name is kept. */
export interface RefusedRequestColumn {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: number | null
  readonly source: string | null
  readonly body: string | null
  readonly mismatchCause: string | null
}

/** Requests that were refused, by the minute and the error's code. */
export interface RefusalsTable {
  minute: Date
  code: string
  requests: number
  last_at: Date
  /** The message of the last one. Like all messages it holds no secret and no payload. */
  message: string
  /** One of the last requests: headers, size, source and the body's beginning without personal data. */
  request: ColumnType<RefusedRequestColumn | null, string | null, string | null>
}

/** Muted groups of failures, and until when each is muted. */
export interface FailureMutesTable {
  handler: string
  fingerprint: string
  until: Date
}

/** Alerts sent by the alert hook, by kind. */
export interface AlertsTable {
  name: string
  began_at: Date
  /** Null as long as it lasts. */
  ended_at: Date | null
  summary: string
  /** When the messages for its begin and its end were sent. */
  begin_sent_at: Date | null
  end_sent_at: Date | null
  /** Until then another process is sending. */
  sending_until: Date | null
  /** The last message that could not be sent, and why. */
  failed_at: Date | null
  failure: string | null
}

/** Who did what in the dashboard. */
export interface AuditLogTable {
  id: string
  at: Generated<Date>
  actor: string
  role: string
  action: string
  target: string | null
  reason: string | null
  details: unknown
  /** False: it was refused or failed. */
  succeeded: boolean
}

/** Every table of clerk-sync, by its name within the schema. */
export interface ClerkTables extends ResourceTables, ChildTables, LiveViews {
  events: EventsTable
  event_bodies: EventBodiesTable
  event_changes: EventChangesTable
  handler_runs: HandlerRunsTable
  handler_workers: HandlerWorkersTable
  handlers: HandlersTable
  jobs: JobsTable
  sweep_seen_ids: SweepSeenIdsTable
  sweep_starts: SweepStartsTable
  pending_verifications: PendingVerificationsTable
  pending_cascades: PendingCascadesTable
  tombstones: TombstonesTable
  maintenance: MaintenanceTable
  retention_log: RetentionLogTable
  api_budgets: ApiBudgetsTable
  event_minutes: EventMinutesTable
  event_spans: EventSpansTable
  refusals: RefusalsTable
  releases: ReleasesTable
  failure_mutes: FailureMutesTable
  alerts: AlertsTable
  audit_log: AuditLogTable
}

/** Every table by its qualified name, for a Kysely of your own. */
export type ClerkSchema<Schema extends string = 'clerk'> = {
  [name in keyof ClerkTables as `${Schema}.${name & string}`]: ClerkTables[name]
}
