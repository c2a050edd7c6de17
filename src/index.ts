/**
 * The public API of clerk-sync.
 *
 * @module clerk-sync
 */

export type { AlertFormat, AlertMessage } from './alerts/message.ts'
// What came before, and what was missed.
export type { CatchUp, MembershipKey } from './backfill/clerk-pull.ts'
export type { DriftKind } from './backfill/compare.ts'
export type { UnreadResource } from './backfill/coverage.ts'
export type { Row } from './backfill/ensure.ts'
export type {
  Cause,
  DriftCounts,
  DriftReport,
  FoundDrift,
  SweepProgress,
  SweepStatus,
} from './backfill/progress.ts'
export type {
  BackfillOptions,
  BackfillResult,
  ReconcileOptions,
  ReconcileResult,
  SweepsProgress,
} from './backfill/sweeps.ts'
export type { WaitOptions } from './backfill/wait.ts'
// What Clerk sends.
export { EVENT_TYPES, type ResourceName } from './clerk/catalogue.ts'
export type { DeletionOptions, DeletionPolicy } from './clerk/deletion.ts'
export type { ClerkEvent, Delivery, ParkReason } from './clerk/event.ts'
export type * from './clerk/payloads.ts'
export type { PrivacyOptions, ResourcePrivacy } from './clerk/privacy.ts'
export {
  type AlertOptions,
  type ClerkSyncOptions,
  defineConfig,
  type SigningSecretOption,
} from './config.ts'
// What it says about itself.
export type { ConnectionState } from './database/connections.ts'
export type { EventFilter, RunFilter } from './database/filter.ts'
// What the tables hold.
export type {
  AlertsTable,
  AuditLogTable,
  Change,
  ClerkSchema,
  ClerkTables,
  EventBodiesTable,
  EventChangesTable,
  EventMinutesTable,
  EventSource,
  EventSpansTable,
  EventsTable,
  FailedAttempt,
  FailureMutesTable,
  HandlerRunsTable,
  HandlersTable,
  HandlerWorkersTable,
  JobStatus,
  JobsTable,
  MaintenanceTable,
  MirroredRow,
  Outcome,
  RefusalsTable,
  RetentionLogTable,
  RunStatus,
} from './database/tables.ts'
// For adapters.
export { createDrainResponder, type DrainResponder } from './drain.ts'
export type { ErasureCounts } from './erasure/counts.ts'
export type { EraseOptions, ErasureResult } from './erasure/eraser.ts'
export { ClerkSyncError, type ErrorCode } from './errors.ts'
export type { Reason } from './explanations/reasons.ts'
// The team's handlers.
export type { BulkOptions, BulkProgress, BulkResult, Past } from './handlers/bulk.ts'
export type { HandlerControl, HandlerInfo } from './handlers/control.ts'
export type { Engine, EngineContext, EngineFactory, RunKey, Runner, Scope, Wake } from './handlers/engine.ts'
export { postgres } from './handlers/engines/postgres.ts'
export {
  type EventPattern,
  type Handler,
  type HandlerContext,
  type HandlerDefinition,
  type HandlerOptions,
  type MatchingEvent,
  type MatchingRow,
  on,
} from './handlers/handler.ts'
export type { DrainOptions, DrainResult } from './handlers/runtime.ts'
export type { HandlerTransaction } from './handlers/transaction.ts'
export type { TriedRun } from './handlers/worker.ts'
// Once per message, without a sync.
export { type PoolLike, type PostgresStoreOptions, postgresStore } from './idempotency/postgres.ts'
export { type RedisLike, type RedisStoreOptions, redisStore } from './idempotency/redis.ts'
export type { IdempotencyStore } from './idempotency/store.ts'
export type { ReplayOptions, ReplayResult } from './ingest/replay.ts'
export type { Receipt } from './ingest/verdict.ts'
export type { ProcessLoad, Vitals } from './inspect/vitals.ts'
export type { Logger } from './log.ts'
// What is kept, and for how long.
export type { Forgotten, MaintainOptions, MaintenanceResult } from './maintenance/maintenance.ts'
export type { Retention, RetentionKind, RetentionOptions } from './maintenance/policy.ts'
export {
  type IdempotencyOptions,
  type IdempotencyResult,
  processIdempotently,
} from './process-idempotently.ts'
export type { Reply, WebhookRequest } from './reply.ts'
export {
  createResponder,
  type Responder,
  type SyncSource,
  sharedClerkSync,
  workInBackground,
} from './responder.ts'
// The engine.
export {
  type ClerkSync,
  type CloseOptions,
  createClerkSync,
} from './sync.ts'
export type {
  CommitFact,
  ConnectionFact,
  DeliveryFact,
  Fact,
  JobFact,
  Observer,
  RefusalFact,
  RunFact,
  Span,
  SpanStart,
  Tracing,
} from './telemetry.ts'
// Verification alone.
export { createVerifier, type VerifierOptions } from './verifier.ts'
export type { RawBody } from './webhook/body.ts'
export type { RequestHeaders } from './webhook/headers.ts'
