/** `clerk-sync config`: every option, its value and where that is from. */

import type { Command } from 'commander'
import { resolveConfig } from '../../config.ts'
import { DEFAULT, describeOrigin, loadConfiguration, type Origin } from '../../configuration/configuration.ts'
import { type ShownOption, shownOptions } from '../../configuration/settings.ts'
import { noteLogger } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { Output, type Pen } from '../output.ts'
import type { Cell } from '../text.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync config', 'every option and the source of its value'],
    ['clerk-sync config --json | jq .value', 'for scripts; secrets are redacted here too'],
    ['clerk-sync config --config deploy/clerk-sync.config.ts', 'with another configuration file'],
  ])
  withDatabaseOptions(command).action((_, self: Command) => showConfig(self.optsWithGlobals()))
}

async function showConfig(options: DatabaseOptions): Promise<void> {
  const output = new Output(options)
  const configuration = await loadConfiguration(options)
  const config = resolveConfig({ ...configuration.options, log: noteLogger(output) }, process.env)
  const entries = shownOptions(configuration, config)
  output.list(entries, toCells, toRecord)
}

function toRecord({ option, value, origins: [origin = DEFAULT, ...others] }: ShownOption) {
  return { option, value, origin, ...(others.length > 0 && { instead_of: others }) }
}

function toCells({ option, value, origins: [origin = DEFAULT, ...others] }: ShownOption, pen: Pen): Cell[] {
  return [
    { text: option },
    { text: describeOrigin(origin), style: origin.kind === 'default' ? pen.colors.dim : undefined },
    { text: describeValue(value) + describeOthers(others), style: pen.colors.bold },
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
