/** Every option as it is in force, as it may be shown, and where its value is from. */

import { type Config, OPTION_NAMES, type OptionName } from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import { parseSecret } from '../webhook/secret.ts'
import type { Configuration, Origin } from './configuration.ts'

export interface ShownOption {
  readonly option: OptionName
  readonly value: unknown
  /** Every source that has a value; the first one counts. */
  readonly origins: readonly Origin[]
}

/** A value as it may be shown. An empty list of instances means any. */
const SHOWN: Readonly<Record<OptionName, (config: Config) => unknown>> = {
  signingSecret: ({ signingSecrets }) =>
    signingSecrets.map(({ secret, instanceId }) =>
      instanceId === null ? redactSecret(secret) : `${instanceId}:${redactSecret(secret)}`,
    ),
  database: ({ database }) => redactValue(database),
  maxConnections: ({ maxConnections }) => maxConnections,
  retention: ({ retention }) =>
    Object.entries(retention)
      .map(([kind, days]) => `${kind} ${days === null ? 'forever' : `${days}d`}`)
      .join(', '),
  release: ({ release }) => release ?? 'none',
  replicaUrl: ({ replicaUrl }) => redactValue(replicaUrl ?? 'none'),
  schema: ({ schema }) => schema,
  instanceId: ({ instanceIds }) => [...instanceIds],
  resources: ({ resources }) => [...resources],
  toleranceSeconds: ({ toleranceSeconds }) => toleranceSeconds,
  maxBodyBytes: ({ maxBodyBytes }) => maxBodyBytes,
  maxQueuedBytes: ({ maxQueuedBytes }) => maxQueuedBytes,
  commitTimeoutMs: ({ commitTimeoutMs }) => commitTimeoutMs,
  secretKey: ({ secretKey }) => redactKey(secretKey),
  apiUrl: ({ apiUrl }) => apiUrl,
  apiRateLimit: ({ apiRateLimit }) => apiRateLimit,
  apiTimeoutMs: ({ apiTimeoutMs }) => apiTimeoutMs,
  apiPageSize: ({ apiPageSize }) => apiPageSize,
  privacy: ({ privacy }) => privacy?.rules ?? 'everything is stored',
  privacyKey: ({ hasPrivacyKey }) => (hasPrivacyKey ? 'set' : ''),
  deletion: ({ deletion }) =>
    deletion.size === 0 ? 'soft' : [...deletion].map(([table, policy]) => `${table}: ${policy}`),
  eraseAfterDays: ({ eraseAfterDays }) => eraseAfterDays ?? 'never',
  handlers: ({ handlers }) => handlers.map(({ name }) => name),
  engine: ({ engine }) => engine.name,
  log: () => 'a logger',
  alerts: ({ alerts }) => alerts && { host: new URL(alerts.url).host, format: alerts.format },
  logSample: ({ logSample }) => logSample,
  tracing: ({ tracing }) => (tracing ? 'a tracer' : null),
  now: () => 'a clock',
}

export function shownOptions(configuration: Configuration, config: Config): ShownOption[] {
  return OPTION_NAMES.map((option) => ({
    option,
    value: SHOWN[option](config),
    origins: configuration.originsOf(option),
  }))
}

/** Enough of a secret to recognise it by, in Clerk's dashboard and beside others. */
const SHOWN_CHARACTERS = 4
const HIDDEN = '…'

/** `whsec_…kP3a`, or the code of what is wrong with it. */
function redactSecret(secret: string): string {
  try {
    parseSecret(secret)
  } catch (error) {
    return error instanceof ClerkSyncError ? error.code : HIDDEN
  }
  const end = secret.trim().replace(/=+$/, '').slice(-SHOWN_CHARACTERS)
  return `${secret.trim().startsWith('whsec_') ? 'whsec_' : ''}${HIDDEN}${end}`
}

/** `sk_live_…kP3a`; empty if there is none. */
function redactKey(key: string): string {
  const [prefix = ''] = /^sk_(live|test)_/.exec(key) ?? []
  return key === '' ? '' : `${prefix}${HIDDEN}${key.slice(-SHOWN_CHARACTERS)}`
}

/** The address of a database without its password. A folder stays as it is. */
function redactAddress(address: string): string {
  if (!address.includes('://')) return /password\s*=/i.test(address) ? HIDDEN : address
  const hidden = `${address.slice(0, address.indexOf('://'))}://${HIDDEN}`
  if (!URL.canParse(address)) return hidden
  const url = new URL(address)
  // A password with a character that ends the host, and that should have been escaped.
  if (`${url.pathname}${url.search}${url.hash}`.includes('@')) return hidden
  if (url.password !== '') url.password = HIDDEN
  for (const name of url.searchParams.keys()) if (isSecretName(name)) url.searchParams.set(name, HIDDEN)
  return decodeHidden(url.href)
}

/** Any value, as JSON can hold it: functions by what they are, and what is named like a secret not at all. */
function redactValue(value: unknown, name = ''): unknown {
  if (isSecretName(name) && value !== undefined) return HIDDEN
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return redactAddress(value)
  if (Array.isArray(value)) return value.map((entry) => redactValue(entry))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, redactValue(entry, key)]))
}

function isSecretName(name: string): boolean {
  return /passw|secret|token|^(ssl)?key$/i.test(name)
}

function decodeHidden(text: string): string {
  return text.replaceAll(encodeURIComponent(HIDDEN), HIDDEN)
}
