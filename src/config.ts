/**
 * The options of clerk-sync. Each comes from the call, then the environment, then its default; all are checked,
 * completed and frozen once. Nothing else reads the environment. For the command line, flags come before the
 * environment and the configuration file after it.
 */

import type { PoolConfig } from 'pg'
import type { AlertTarget } from './alerts/alert-hook.ts'
import type { AlertFormat } from './alerts/message.ts'
import { MAX_PAGE_SIZE } from './clerk/api-description.ts'
import { RESOURCES, type ResourceName } from './clerk/catalogue.ts'
import { type DeletionOptions, type DeletionPolicies, resolveDeletion } from './clerk/deletion.ts'
import { Privacy, type PrivacyOptions } from './clerk/privacy.ts'
import { ClerkSyncError } from './errors.ts'
import type { EngineFactory } from './handlers/engine.ts'
import { postgres } from './handlers/engines/postgres.ts'
import type { HandlerDefinition } from './handlers/handler.ts'
import { consoleLogger, guardLogger, type Logger } from './log.ts'
import { type RetentionDays, type RetentionOptions, resolveRetention } from './maintenance/policy.ts'
import type { Tracing } from './telemetry.ts'
import { requireNumber } from './validate.ts'

export interface ClerkSyncOptions {
  /**
   * The signing secret of the webhook endpoint, `whsec_…`; several while you rotate it or receive from several instances.
   *
   * A secret can be bound to the Clerk instance of its endpoint, as `{ secret, instanceId }` or `'ins_…:whsec_…'`: it then
   * signs for that instance alone, and that instance accepts no other secret. See docs/instances.md.
   * @example [{ secret: 'whsec_…', instanceId: 'ins_…' }]
   * @default CLERK_WEBHOOK_SIGNING_SECRET, which may hold several separated by commas
   */
  signingSecret?: string | SigningSecretOption | readonly (string | SigningSecretOption)[] | undefined
  /**
   * The database: `postgres://…`, a folder for an embedded one, `memory://` for a test, or options for `pg`'s pool.
   * @default DATABASE_URL, else the folder `.clerk-sync`
   */
  database?: string | PoolConfig | undefined
  /**
   * The maximum number of database connections of this process, for all of its work: receiving, running handlers,
   * listening, backfilling, serving the dashboard. With 1 it runs no handlers; below 4 it polls for runs instead of
   * listening. docs/connections.md lists what each role needs.
   * @default CLERK_SYNC_MAX_CONNECTIONS, else `max` of the options for `pg`'s pool, else 2 on a serverless platform and
   *   20 elsewhere
   */
  maxConnections?: number | undefined
  /**
   * A read replica of the database, `postgres://…`: lists, charts and searches of the dashboard and the command line are
   * read there. Takes a fifth of {@link maxConnections}, which must be at least 3.
   * @default CLERK_SYNC_REPLICA_URL, else none
   */
  replicaUrl?: string | undefined
  /**
   * The release of your app, such as a version or a commit. Charts of the dashboard mark the start of its first
   * process, and groups of failures that began after it name it.
   * @default CLERK_SYNC_RELEASE, else none
   */
  release?: string | undefined
  /**
   * The database schema that holds the tables.
   * @default CLERK_SYNC_SCHEMA, else "clerk"
   */
  schema?: string | undefined
  /**
   * The Clerk instances, `ins_…`, whose events are applied. Events of other instances are parked, such as those of the
   * "Send Example" button in Clerk's dashboard, which have a made-up instance. Every stored event shows your instance's
   * id.
   * @default CLERK_INSTANCE_ID, which may hold several separated by commas; else the instances that all secrets are
   *   bound to; else any
   */
  instanceId?: string | readonly string[] | undefined
  /**
   * The resources to sync; events of others are recorded and ignored. Deletions of users and organizations are applied
   * even if those are not synced, because they cascade to memberships, invitations and sessions.
   * @default all
   */
  resources?: readonly ResourceName[] | undefined
  /**
   * The largest difference between a delivery's timestamp and this machine's clock, in seconds, either way.
   * @default 300
   */
  toleranceSeconds?: number | undefined
  /**
   * The maximum size of a body, in bytes.
   * @default 2 MiB
   */
  maxBodyBytes?: number | undefined
  /**
   * The maximum number of bytes of verified deliveries that wait in memory for the database; further ones are refused
   * with 503. Unverified bodies have a separate budget of half as much, of which each client may use a quarter; beyond
   * that, the largest unfinished body is refused.
   * @default 64 MiB
   */
  maxQueuedBytes?: number | undefined
  /**
   * How long a delivery waits for its commit before it is refused with 503, in milliseconds. Svix waits 15 seconds, so
   * that a slow database delays answers rather than refusing deliveries that it then commits. A delivery that would
   * have to wait longer is refused at once.
   * @default 13000
   */
  commitTimeoutMs?: number | undefined
  /**
   * The secret key for Clerk's Backend API, `sk_…`, for backfills, reconciles and `ensure`.
   * @default CLERK_SECRET_KEY
   */
  secretKey?: string | undefined
  /**
   * The address of Clerk's Backend API, without `/v1`.
   * @default CLERK_API_URL, else "https://api.clerk.com"
   */
  apiUrl?: string | undefined
  /**
   * Clerk's limit of requests per ten seconds; at most 70 % of it is used. `Infinity` for a simulated Clerk.
   * @default 1000 for a key that starts with `sk_live_`, else 100
   */
  apiRateLimit?: number | undefined
  /**
   * The timeout of a request to the Backend API, in milliseconds.
   * @default 30000
   */
  apiTimeoutMs?: number | undefined
  /**
   * Rows per page of the Backend API's lists, 20 to 500. Smaller pages make more requests, each answered sooner: useful
   * if Clerk's larger answers exceed {@link apiTimeoutMs}.
   * @default 500
   */
  apiPageSize?: number | undefined
  /**
   * Fields of a resource to omit or to store only as a hash: in rows, `raw`, stored bodies and changes, from events and
   * from the Backend API. Handlers get only what is stored. See `docs/privacy.md`.
   * @example { users: { omit: ['phone_numbers', 'unsafe_metadata.ssn'], hash: ['primary_email_address'] } }
   * @default everything but secrets is stored
   */
  privacy?: PrivacyOptions | undefined
  /**
   * The key for the hashes of {@link privacy}. Changing it changes all hashes.
   * @default CLERK_SYNC_PRIVACY_KEY
   */
  privacyKey?: string | undefined
  /**
   * What a deletion in Clerk does to the row, by table: `soft` keeps it with `deleted_at`, `anonymise` empties the
   * columns about people, `hard` removes it. Bodies of events stay until their retention ends; {@link eraseAfterDays} removes
   * everything that is stored of a user. See docs/privacy.md.
   * @example { users: 'anonymise', sessions: 'hard', default: 'soft' }
   * @default soft
   */
  deletion?: DeletionOptions | undefined
  /**
   * Erases users this many days after their deletion, by the server's hourly maintenance, `sync.maintain()` or
   * `sync.drain()`.
   * @default never
   */
  eraseAfterDays?: number | undefined
  /**
   * Your handlers, created with {@link on}. `sync.on` adds more.
   * @default none
   */
  handlers?: readonly HandlerDefinition[] | undefined
  /**
   * The engine that wakes workers: `postgres()`, or one from `clerk-sync/bullmq`, `clerk-sync/inngest` or
   * `clerk-sync/trigger`.
   * @default postgres(), the same database
   */
  engine?: EngineFactory | undefined
  /**
   * How long each kind of data is kept: days as a number or as `'90d'`; `'forever'` or `false` for no limit.
   * `sync.maintain` deletes older data. Ids of events are always kept.
   * @default see {@link RetentionOptions}
   */
  retention?: RetentionOptions | undefined
  /** The logger. Default: warnings and errors to the console. */
  log?: Logger | undefined
  /**
   * A webhook that receives alerts when a problem begins and ends, such as runs that exhausted their retries or events
   * that stopped arriving: its URL, or `{ url, format }`. The format is Slack's for `hooks.slack.com`, otherwise plain
   * JSON. Needs a process that runs handlers, or one that calls `sync.drain()` or `sync.maintain()` regularly.
   * @default CLERK_SYNC_ALERTS_URL, else none
   */
  alerts?: string | AlertOptions | undefined
  /**
   * The share of events that are logged, with their delivery and runs: 0 to 1. Failures are always logged.
   * @default 1
   */
  logSample?: number | undefined
  /**
   * The tracing backend: `openTelemetry()` from `clerk-sync/opentelemetry`.
   * @default none
   */
  tracing?: Tracing | undefined
  /** The clock, in milliseconds since 1970. For tests. */
  now?: (() => number) | undefined
}

/** A signing secret with the Clerk instance that it belongs to. */
export interface SigningSecretOption {
  /** `whsec_…` */
  readonly secret: string
  /** `ins_…`. Without one the secret signs for every instance that no other secret is bound to. */
  readonly instanceId?: string | null | undefined
}

/** A signing secret as it is written, and the instance it is bound to, if any. */
export interface ConfiguredSecret {
  readonly secret: string
  readonly instanceId: string | null
}

/** Where alerts go. */
export interface AlertOptions {
  readonly url: string
  readonly format?: AlertFormat | undefined
  /**
   * The interval between two checks, in milliseconds.
   * @default 30000
   */
  readonly everyMs?: number | undefined
}

/** The options, complete. */
export interface Config {
  readonly signingSecrets: readonly ConfiguredSecret[]
  /** Other secrets of the environment, by the name of their variable: one of them may be the right one. */
  readonly otherSecrets: ReadonlyMap<string, string>
  readonly database: string | PoolConfig
  readonly maxConnections: number
  readonly replicaUrl: string | undefined
  readonly release: string | undefined
  readonly schema: string
  readonly instanceIds: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  readonly toleranceSeconds: number
  readonly maxBodyBytes: number
  readonly maxQueuedBytes: number
  readonly commitTimeoutMs: number
  /** Empty if there is none. */
  readonly secretKey: string
  readonly apiUrl: string
  readonly apiVersion: string
  readonly apiRateLimit: number
  readonly apiTimeoutMs: number
  readonly apiPageSize: number
  /** Undefined if everything is stored. */
  readonly privacy: Privacy | undefined
  readonly hasPrivacyKey: boolean
  readonly deletion: DeletionPolicies
  /** Undefined if users are not erased automatically. */
  readonly eraseAfterDays: number | undefined
  readonly handlers: readonly HandlerDefinition[]
  readonly engine: EngineFactory
  readonly retention: RetentionDays
  readonly log: Logger
  readonly alerts: AlertTarget | undefined
  readonly logSample: number
  readonly tracing: Tracing | undefined
  readonly now: () => number
}

export type Environment = Readonly<Record<string, string | undefined>>

const MEBIBYTE = 1024 * 1024
const DEFAULT_FOLDER = '.clerk-sync'
const DEFAULT_API_URL = 'https://api.clerk.com'
/** Without this header Clerk answers as its oldest supported version does. */
const API_VERSION = '2026-05-12'
/** Requests per ten seconds. https://clerk.com/docs/guides/how-clerk-works/system-limits */
const RATE_LIMIT = { production: 1_000, development: 100 }

export type OptionName = keyof ClerkSyncOptions

/** Every option, with the environment variables that hold it; the first that is set wins. */
export const OPTION_VARIABLES: Readonly<Record<OptionName, readonly string[]>> = {
  signingSecret: ['CLERK_WEBHOOK_SIGNING_SECRET', 'CLERK_WEBHOOK_SECRET'],
  database: ['DATABASE_URL'],
  maxConnections: ['CLERK_SYNC_MAX_CONNECTIONS'],
  replicaUrl: ['CLERK_SYNC_REPLICA_URL'],
  release: ['CLERK_SYNC_RELEASE'],
  schema: ['CLERK_SYNC_SCHEMA'],
  instanceId: ['CLERK_INSTANCE_ID'],
  resources: [],
  toleranceSeconds: [],
  maxBodyBytes: [],
  maxQueuedBytes: [],
  commitTimeoutMs: [],
  secretKey: ['CLERK_SECRET_KEY'],
  apiUrl: ['CLERK_API_URL'],
  apiRateLimit: [],
  apiTimeoutMs: [],
  apiPageSize: [],
  privacy: [],
  privacyKey: ['CLERK_SYNC_PRIVACY_KEY'],
  deletion: [],
  eraseAfterDays: [],
  handlers: [],
  engine: [],
  retention: [],
  log: [],
  alerts: ['CLERK_SYNC_ALERTS_URL'],
  logSample: ['CLERK_SYNC_LOG_SAMPLE'],
  tracing: [],
  now: [],
}

export const OPTION_NAMES = Object.keys(OPTION_VARIABLES) as readonly OptionName[]

/**
 * Types the options of a `clerk-sync.config.ts`.
 *
 * For the command line, flags and the environment override the file. An app imports the file and passes it to {@link
 * createClerkSync}, where it overrides the environment.
 *
 * @example
 * // clerk-sync.config.ts
 * export default defineConfig({ schema: 'clerk', resources: ['users', 'organizations'] })
 */
export function defineConfig(options: ClerkSyncOptions): ClerkSyncOptions {
  return options
}

/** The options that the environment holds. An empty variable counts as not set. */
export function environmentOptions(environment: Environment): ClerkSyncOptions {
  const entries = OPTION_NAMES.flatMap((option) => {
    const variable = OPTION_VARIABLES[option].find((name) => environment[name])
    return variable === undefined ? [] : [[option, environment[variable]]]
  })
  return Object.fromEntries(entries)
}

/** One set of options out of several: each from the first that has it. */
export function firstOf(layers: readonly ClerkSyncOptions[]): ClerkSyncOptions {
  const entries = layers.flatMap((layer) => Object.entries(layer).filter(([, value]) => value !== undefined))
  return Object.fromEntries(entries.reverse())
}

/**
 * Checks and completes the options.
 * @throws {ClerkSyncError} `option_invalid`, naming the option
 */
export function resolveConfig(given: ClerkSyncOptions, environment: Environment): Config {
  const options = firstOf([given, environmentOptions(environment)])
  const log = guardLogger(options.log ?? consoleLogger)
  warnOfOldName(options.signingSecret, environment, log)
  const secretKey = (options.secretKey ?? '').trim()
  const signingSecrets = configuredSecrets(options.signingSecret)
  return Object.freeze({
    signingSecrets,
    otherSecrets: otherSecrets(
      environment,
      signingSecrets.map(({ secret }) => secret),
    ),
    database: options.database ?? DEFAULT_FOLDER,
    maxConnections: maxConnections(options, environment),
    replicaUrl: options.replicaUrl,
    release: releaseName(options.release),
    schema: schemaName(options.schema ?? 'clerk'),
    instanceIds: instances(options.instanceId, signingSecrets),
    resources: new Set(options.resources ? resourceNames(options.resources) : RESOURCES.keys()),
    toleranceSeconds: requireNumber('toleranceSeconds', options.toleranceSeconds ?? 300, 'positive'),
    maxBodyBytes: requireNumber('maxBodyBytes', options.maxBodyBytes ?? 2 * MEBIBYTE, 'positive'),
    maxQueuedBytes: requireNumber('maxQueuedBytes', options.maxQueuedBytes ?? 64 * MEBIBYTE, 'positive'),
    commitTimeoutMs: requireNumber('commitTimeoutMs', options.commitTimeoutMs ?? 13_000, 'milliseconds'),
    secretKey,
    apiUrl: apiUrl(options.apiUrl ?? DEFAULT_API_URL),
    apiVersion: API_VERSION,
    apiRateLimit: requireNumber('apiRateLimit', options.apiRateLimit ?? rateLimitOf(secretKey), 'rate'),
    apiTimeoutMs: requireNumber('apiTimeoutMs', options.apiTimeoutMs ?? 30_000, 'milliseconds'),
    apiPageSize: pageSize(options.apiPageSize ?? MAX_PAGE_SIZE),
    privacy: Privacy.of(options.privacy ?? {}, (options.privacyKey ?? '').trim()),
    hasPrivacyKey: Boolean(options.privacyKey?.trim()),
    deletion: resolveDeletion(options.deletion),
    eraseAfterDays: days(options.eraseAfterDays),
    handlers: options.handlers ?? [],
    engine: options.engine ?? postgres(),
    retention: resolveRetention(options.retention),
    log,
    alerts: alertTarget(options.alerts),
    logSample: share(options.logSample ?? 1),
    tracing: options.tracing,
    now: options.now ?? Date.now,
  })
}

const MAX_RELEASE_LENGTH = 100

function releaseName(name: string | undefined): string | undefined {
  if (name === undefined || name === '') return undefined
  if (typeof name === 'string' && name.length <= MAX_RELEASE_LENGTH && !name.includes('\u0000')) return name
  throw new ClerkSyncError(
    'option_invalid',
    `release must be a text of ${MAX_RELEASE_LENGTH} characters at most`,
  )
}

const ALERTS_EVERY_MS = 30_000

/** The address is a secret: no message holds it. */
function alertTarget(given: string | AlertOptions | undefined): AlertTarget | undefined {
  if (given === undefined) return undefined
  const options: AlertOptions = typeof given === 'string' ? { url: given } : given
  const { url, format, everyMs = ALERTS_EVERY_MS } = options
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:')
    throw new ClerkSyncError('option_invalid', 'alerts must be an address such as https://hooks.slack.com/…')
  const usual = parsed.hostname === 'hooks.slack.com' ? 'slack' : 'json'
  if (format !== undefined && format !== 'slack' && format !== 'json')
    throw new ClerkSyncError('option_invalid', 'alerts.format must be slack or json')
  return { url, format: format ?? usual, everyMs: requireNumber('alerts.everyMs', everyMs, 'milliseconds') }
}

/** A variable of the environment is text. */
function share(value: number | string): number {
  const number = Number(value)
  if (value !== '' && number >= 0 && number <= 1) return number
  throw new ClerkSyncError('option_invalid', 'logSample must be a number from 0 to 1')
}

function warnOfOldName(secret: unknown, environment: Environment, log: Logger): void {
  const { CLERK_WEBHOOK_SIGNING_SECRET: official, CLERK_WEBHOOK_SECRET: old } = environment
  if (official || !old || secret !== old) return
  log.warn(
    {},
    'Using CLERK_WEBHOOK_SECRET. Rename it to CLERK_WEBHOOK_SIGNING_SECRET, the name that Clerk’s libraries read.',
  )
}

/** What apps and tutorials name a signing secret, and the key that is mistaken for one. */
const SECRET_NAMES = new Set(['WEBHOOK_SECRET', 'SIGNING_SECRET', 'SVIX_SECRET', 'CLERK_SECRET_KEY'])
const MAX_OTHER_SECRETS = 20

function otherSecrets(environment: Environment, configured: readonly string[]): Map<string, string> {
  const others = Object.entries(environment).flatMap(([name, value = '']) => {
    const isSecret = /^["'`\s]*whsec_/.test(value) || (SECRET_NAMES.has(name) && value !== '')
    return isSecret && !configured.includes(value) ? [[name, value] as const] : []
  })
  return new Map(others.slice(0, MAX_OTHER_SECRETS))
}

/** The secrets are not parsed here: the code that uses them reports malformed ones. */
function configuredSecrets(value: ClerkSyncOptions['signingSecret']): ConfiguredSecret[] {
  const entries = isList(value) ? value : value === undefined ? [] : [value]
  const secrets = entries.flatMap((entry) =>
    typeof entry === 'string' ? readSecrets(entry) : [bound(entry)],
  )
  requireOneInstance(secrets)
  return secrets
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList<Item>(value: Item | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value)
}

/** `whsec_…`, or `ins_…:whsec_…`; several separated by commas. */
function readSecrets(text: string): ConfiguredSecret[] {
  return list(text).map((entry) => {
    const [, instanceId, secret] = /^\s*(ins_\w+)\s*:(.*)$/s.exec(entry) ?? []
    return { secret: secret ?? entry, instanceId: instanceId ?? null }
  })
}

function bound({ secret, instanceId }: SigningSecretOption): ConfiguredSecret {
  if (typeof secret !== 'string')
    throw new ClerkSyncError('option_invalid', 'signingSecret must hold texts, or { secret, instanceId }')
  if (instanceId === undefined || instanceId === null) return { secret, instanceId: null }
  if (/^ins_\w+$/.test(instanceId.trim())) return { secret, instanceId: instanceId.trim() }
  throw new ClerkSyncError('option_invalid', 'signingSecret: instanceId must be an id such as ins_…')
}

/** Endpoints of two instances never have the same secret. */
function requireOneInstance(secrets: readonly ConfiguredSecret[]): void {
  for (const { secret, instanceId } of secrets) {
    const other = secrets.find((each) => each.secret === secret && each.instanceId !== instanceId)
    if (other === undefined) continue
    const names = [instanceId, other.instanceId].map((each) => each ?? 'no instance').join(' and ')
    throw new ClerkSyncError('option_invalid', `signingSecret: one secret is bound to ${names}`)
  }
}

/** Those that are named, else those that all secrets are bound to; empty means any. */
function instances(
  option: ClerkSyncOptions['instanceId'],
  secrets: readonly ConfiguredSecret[],
): ReadonlySet<string> {
  const named = new Set(list(option).map((id) => id.trim()))
  const ids = secrets.map(({ instanceId }) => instanceId)
  if (named.size === 0) return new Set(ids.every((id) => id !== null) ? ids : [])
  const missing = ids.find((id) => id !== null && !named.has(id))
  if (missing === undefined) return named
  const instead = [...named].join(', ')
  throw new ClerkSyncError('option_invalid', `signingSecret is bound to ${missing}, instanceId is ${instead}`)
}

/** The entries are not parsed here: the code that uses them reports malformed ones. */
function list(value: string | readonly string[] | undefined): string[] {
  const entries = typeof value === 'string' ? value.split(',') : [...(value ?? [])]
  return entries.filter((entry) => entry.trim() !== '')
}

/** Enough for a server's deliveries, handlers, notifications and queries to run at full speed. */
const SERVER_CONNECTIONS = 20
/** One for a handler's transaction, one for everything else: there are as many processes as requests. */
const SERVERLESS_CONNECTIONS = 2
/** Set by platforms that start a process for a request or a few: Vercel, AWS, Netlify, Google, Azure. */
const SERVERLESS_VARIABLES = [
  'VERCEL',
  'AWS_LAMBDA_FUNCTION_NAME',
  'NETLIFY',
  'FUNCTION_TARGET',
  'FUNCTIONS_WORKER_RUNTIME',
]

/** The environment's is text. */
function maxConnections({ maxConnections, database }: ClerkSyncOptions, environment: Environment): number {
  if (maxConnections !== undefined) return requireNumber('maxConnections', Number(maxConnections), 'count')
  if (typeof database === 'object' && database.max) return database.max
  const isServerless = SERVERLESS_VARIABLES.some((name) => environment[name])
  return isServerless ? SERVERLESS_CONNECTIONS : SERVER_CONNECTIONS
}

function schemaName(name: string): string {
  // Postgres cuts longer names off, silently.
  if (name !== '' && Buffer.byteLength(name) <= 63 && !name.includes('\u0000')) return name
  throw new ClerkSyncError('option_invalid', 'schema must have 1 to 63 bytes')
}

function resourceNames(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !RESOURCES.has(name))
  if (unknown.length === 0) return names
  const known = [...RESOURCES.keys()].join(', ')
  throw new ClerkSyncError('option_invalid', `resources has ${unknown.join(', ')}; there are ${known}`)
}

function apiUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return text.replace(/\/+$/, '')
  throw new ClerkSyncError('option_invalid', 'apiUrl must be an address such as https://api.clerk.com')
}

function rateLimitOf(secretKey: string): number {
  return secretKey.startsWith('sk_live_') ? RATE_LIMIT.production : RATE_LIMIT.development
}

function days(value: number | undefined): number | undefined {
  return value === undefined ? undefined : requireNumber('eraseAfterDays', value, 'limit')
}

/** Twice what the pages of a list have in common, so that each brings something new. */
const MIN_PAGE_SIZE = 20

function pageSize(value: number): number {
  if (Number.isInteger(value) && value >= MIN_PAGE_SIZE && value <= MAX_PAGE_SIZE) return value
  throw new ClerkSyncError(
    'option_invalid',
    `apiPageSize must be a whole number from ${MIN_PAGE_SIZE} to ${MAX_PAGE_SIZE}`,
  )
}

/** What the environment says of the dashboard. */
export function dashboardEnvironment(environment: Environment = process.env) {
  const { CLERK_SYNC_DASHBOARD_TOKEN: token, CLERK_JWT_KEY, CLERK_SECRET_KEY, NODE_ENV } = environment
  return {
    jwtKey: CLERK_JWT_KEY || undefined,
    secretKey: CLERK_SECRET_KEY || undefined,
    token: token || undefined,
    environment: NODE_ENV === 'production' ? ('production' as const) : ('development' as const),
  }
}

/** What the environment says of `/metrics`. */
export function metricsEnvironment(environment: Environment = process.env) {
  return { token: environment.CLERK_SYNC_METRICS_TOKEN || undefined }
}

/** What the environment says of the cron job that calls the drain route. */
export function cronEnvironment(environment: Environment = process.env) {
  const { CRON_SECRET, NODE_ENV } = environment
  return { secret: CRON_SECRET || undefined, isProduction: NODE_ENV === 'production' }
}
