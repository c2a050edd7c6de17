/** Every option as it is in force, as it may be shown, and where its value is from. */

import { type Config, OPTION_NAMES, type OptionName } from '../config.ts'
import type { Configuration, Origin } from './configuration.ts'
import { redactKey, redactSecret, redactValue } from './redact.ts'

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
