/** Asks before something is done to many at once. */

import { createInterface } from 'node:readline'
import { usageError } from './failure.ts'
import { Interrupted } from './interruption.ts'
import type { Output } from './output.ts'

/**
 * Whether it is wanted.
 * @param what a sentence without its point: what it is about, and how many
 * @throws {CommandError} where nobody is there to ask, and `--yes` was not given
 */
export async function isConfirmed(
  what: string,
  question: string,
  yes: boolean,
  output: Output,
): Promise<boolean> {
  if (yes) output.note(what)
  if (yes) return true
  if (output.canAsk) return ask(`${what}. ${question} [y/N] `)
  throw usageError(`${what}, and nobody is there to confirm.`, 'Add --yes to do it.')
}

function ask(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  prompt.question(question, (answer) => resolve(/^y(es)?$/i.test(answer.trim())))
  // The terminal's own Ctrl-C does not reach the process while it is asked; Ctrl-D ends the question.
  prompt.once('SIGINT', () => reject(new Interrupted('SIGINT')))
  prompt.once('close', () => resolve(false))
  return promise.finally(() => prompt.close())
}
