/** How a command fails: what it prints and the exit code. */

import { CommanderError } from 'commander'
import { ClerkSyncError } from '../errors.ts'
import { type Explained, ProblemError } from '../explanations/problems.ts'
import type { Output, Pen } from './output.ts'
import { printable, wrap } from './text.ts'

/** 0 is success, and a process that is interrupted dies of its signal. */
export const EXIT = { failed: 1, usage: 2, foundProblems: 3 } as const

/** An error of the command line itself. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string
  readonly remedy: string
  readonly exitCode: number

  constructor(code: string, message: string, remedy: string, exitCode: number = EXIT.failed) {
    super(message)
    this.code = code
    this.remedy = remedy
    this.exitCode = exitCode
  }
}

/** The command was called in a way that it does not understand. */
export function usageError(message: string, remedy: string): CommandError {
  return new CommandError('usage', message, remedy, EXIT.usage)
}

/** Prints an error and returns the exit code. */
export function fail(error: unknown, output: Output): number {
  if (error instanceof CommanderError && isHelp(error)) return error.exitCode === 0 ? 0 : EXIT.usage
  const failure = toFailure(error)
  if (output.json) output.stderr.record({ error: failure })
  else output.stderr.lines(failureLines(failure, output.stderr))
  return exitCodeOf(error)
}

/** A code, one fact, one fix. */
export function failureLines({ code, message, remedy }: Explained, pen: Pen): string[] {
  const { red, bold } = pen.colors
  return [
    `${red('✗')} ${bold(printable(code))}`,
    ...wrap(printable(message), lineWidth(pen) - 2).map((line) => `  ${line}`),
    ...remedyLines(remedy, 2, pen),
  ]
}

/** `Fix  Copy it from …` */
export function remedyLines(remedy: string, indent: number, pen: Pen): string[] {
  const [first = '', ...rest] = wrap(printable(remedy), lineWidth(pen) - indent - 5)
  const margin = ' '.repeat(indent)
  return [`${margin}${pen.colors.bold('Fix')}  ${first}`, ...rest.map((line) => `${margin}     ${line}`)]
}

/** Longer lines are hard to read. */
function lineWidth({ width }: Pen): number {
  return Math.min(width, 100)
}

function toFailure(error: unknown): Explained {
  if (error instanceof CommanderError) return toUsage(error)
  if (error instanceof ClerkSyncError || error instanceof CommandError || error instanceof ProblemError) {
    const { code, message, remedy } = error
    return { code, message, remedy }
  }
  const message = String(error instanceof Error ? error.stack : error)
  return { code: 'internal_error', message, remedy: 'This is a bug in clerk-sync: please report it.' }
}

/** `error: unknown option '--prot'\n(Did you mean --port?)` */
function toUsage({ message }: CommanderError): Explained {
  const [fact = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const remedy = suggestion ? suggestion.replace(/^\(|\)$/g, '') : 'See --help.'
  return { code: 'usage', message: fact, remedy }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode
  return error instanceof CommanderError ? EXIT.usage : EXIT.failed
}

/** Commander throws after it has printed the help or the version. */
function isHelp({ code }: CommanderError): boolean {
  return code === 'commander.helpDisplayed' || code === 'commander.help' || code === 'commander.version'
}
