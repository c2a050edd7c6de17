/** Questions at the terminal. Each also has an option that answers it, for scripts. */

import { usageError } from './failure.ts'
import { Interrupted } from './interruption.ts'
import type { Output } from './output.ts'

/**
 * Whether something that is done to many at once is wanted.
 * @param what a sentence without its point: what it is about, and how many
 * @param isDefault whether Enter means yes: for what destroys nothing
 * @throws {CommandError} where nobody is there to ask, and `--yes` was not given
 */
export async function isConfirmed(
  what: string,
  question: string,
  yes: boolean | undefined,
  output: Output,
  isDefault = false,
): Promise<boolean> {
  if (yes) output.note(what)
  if (yes) return true
  if (!output.canAsk)
    throw usageError(
      `${what}: this needs a confirmation, and there is no terminal to ask.`,
      'Add --yes to confirm.',
    )
  const message = `${what}. ${question}`
  return ask((prompts) => prompts.confirm({ message, initialValue: isDefault, output: process.stderr }))
}

interface Choice<Value extends string> {
  readonly value: Value
  readonly label: string
}

/** One of several. */
export function choose<Value extends string>(
  message: string,
  choices: readonly Choice<Value>[],
): Promise<Value> {
  const options: Choice<string>[] = [...choices]
  const select = (prompts: Prompts) => prompts.select({ message, options, output: process.stderr })
  return ask(select) as Promise<Value>
}

type Prompts = typeof import('@clack/prompts')

/** Loaded for a question only: most commands ask none. */
async function ask<Answer>(
  question: (prompts: Prompts) => Promise<Answer>,
): Promise<Exclude<Answer, symbol>> {
  const answer = await question(await import('@clack/prompts'))
  // Ctrl-C, which does not reach the process while it asks; and Esc.
  if (typeof answer === 'symbol') throw new Interrupted('SIGINT')
  return answer as Exclude<Answer, symbol>
}
