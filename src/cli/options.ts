/** Options that commands share, and how their values are read. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_HOST } from '../server/defaults.ts'

/** Puts examples at the top of a command's help. */
export function withExamples(
  command: Command,
  examples: readonly (readonly [line: string, explanation: string])[],
): Command {
  const lines = examples.map(([line, explanation]) => `  # ${explanation}\n  ${line}\n`)
  return command.addHelpText('before', `Examples:\n${lines.join('')}`)
}

/** The options that every command has. */
export interface GlobalOptions {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
  /** False with `--no-color`. */
  readonly color?: boolean | undefined
}

/** Where the database is. */
export interface DatabaseOptions extends GlobalOptions {
  readonly database?: string | undefined
  readonly schema?: string | undefined
}

export function withDatabaseOptions(command: Command): Command {
  return command
    .option(
      '--database <address>',
      'postgres://… or a folder for an embedded database (DATABASE_URL, else .clerk-sync)',
    )
    .option('--schema <name>', 'the schema of the tables (CLERK_SYNC_SCHEMA, else clerk)')
}

/** `--port` and `--host`. */
export function withAddressOptions<Port>(command: Command, port: Port, description?: string): Command {
  return command
    .addOption(
      new Option('--port <number>', 'TCP port')
        .env('PORT')
        .default(port, description)
        .argParser(unlessEmpty<number | Port>(parsePort)),
    )
    .addOption(
      new Option('--host <address>', 'address to listen on')
        .env('HOST')
        .default(DEFAULT_HOST)
        .argParser(unlessEmpty(String)),
    )
}

/** For options that can be given several times. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}

/** As {@link collect}, for values from a list. */
export function collectFrom(allowed: readonly string[]) {
  return (value: string, earlier: readonly string[] = []): string[] => {
    if (!allowed.includes(value)) throw new InvalidArgumentError(`There are: ${allowed.join(', ')}.`)
    return [...earlier, value]
  }
}

/** Compose files pass on a variable that is not set as an empty one. */
export function unlessEmpty<Value>(parse: (text: string) => Value) {
  return (text: string, previous: Value): Value => (text === '' ? previous : parse(text))
}

export function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `90s`, `10m`, `1h`, `7d`, `2w`, in milliseconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError('It must be a duration such as 90s, 10m, 1h or 7d.')
  }
  return Number(count) * (UNIT_MS[unit] as number)
}

/** A time, or a duration before now. */
export function parseTime(text: string): Date {
  const time = /^\d+[a-z]$/.test(text) ? new Date(Date.now() - parseDuration(text)) : new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  throw new InvalidArgumentError('It must be a time such as 2026-11-01T09:30, or 1h for an hour ago.')
}

/** A TCP port; 0 means any free one. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}

/** The address of a webhook route. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidArgumentError('It must be an address such as http://localhost:3000/api/webhooks/clerk.')
}

/** `10/s` or `90/m`, as milliseconds between two. */
export function parseRate(text: string): number {
  const [, count, unit] = /^(\d+)\/([sm])$/.exec(text) ?? []
  if (Number(count) > 0) return (unit === 's' ? 1_000 : 60_000) / Number(count)
  throw new InvalidArgumentError('It must be a rate such as 10/s or 90/m.')
}
