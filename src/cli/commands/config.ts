/** `clerk-sync config`: every option, its value and where that is from. */

import type { Command } from 'commander'
import { type Config, OPTION_NAMES, type OptionName, resolveConfig } from '../../config.ts'
import { DEFAULT, describeOrigin, loadConfiguration, type Origin } from '../configuration.ts'
import { type Cell, layOut } from '../layout.ts'
import { noteLogger } from '../notes.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'
import { redactKey, redactSecret, redactValue } from '../redact.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync config', 'what is set, and by what'],
    ['clerk-sync config --json | jq .value', 'for scripts; secrets are redacted here too'],
    ['clerk-sync config --config deploy/clerk-sync.config.ts', 'with another configuration file'],
  ])
  withDatabaseOptions(command).action((_, self: Command) => showConfig(self.optsWithGlobals()))
}

/** A value as it may be shown. An empty list of instances means any. */
const SHOWN: Readonly<Record<OptionName, (config: Config) => unknown>> = {
  signingSecret: ({ signingSecrets }) => signingSecrets.map(redactSecret),
  database: ({ database }) => redactValue(database),
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
  handlers: ({ handlers }) => handlers.map(({ name }) => name),
  engine: ({ engine }) => engine.name,
  log: () => 'a logger',
  now: () => 'a clock',
}

interface Entry {
  readonly option: OptionName
  readonly value: unknown
  /** Every source that has a value; the first one counts. */
  readonly origins: readonly Origin[]
}

async function showConfig(options: OutputOptions & DatabaseOptions): Promise<void> {
  const output = new Output(options)
  const { json, stdout } = output
  const configuration = await loadConfiguration(options)
  const config = resolveConfig({ ...configuration.options, log: noteLogger(output) }, process.env)
  const entries = OPTION_NAMES.map((option) => ({
    option,
    value: SHOWN[option](config),
    origins: configuration.originsOf(option),
  }))
  if (json) for (const entry of entries) stdout.record(toRecord(entry))
  else for (const line of layOut(entries.map(toCells(stdout)), stdout.width)) stdout.line(line)
}

function toRecord({ option, value, origins: [origin = DEFAULT, ...others] }: Entry) {
  return { option, value, origin, ...(others.length > 0 && { instead_of: others }) }
}

function toCells({ colors }: Pen): (entry: Entry) => Cell[] {
  return ({ option, value, origins: [origin = DEFAULT, ...others] }) => [
    { text: option },
    { text: describeOrigin(origin), style: origin.kind === 'default' ? colors.dim : undefined },
    { text: describeValue(value) + describeOthers(others), style: colors.bold },
  ]
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return JSON.stringify(value)
  return value.length === 0 ? 'none' : value.join(', ')
}

function describeOthers(others: readonly Origin[]): string {
  return others.length === 0 ? '' : `  (instead of ${others.map(describeOrigin).join(' and ')})`
}
