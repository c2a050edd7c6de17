/** `clerk-sync explain`: what a code means and what to do about it. Works without a network. */

import type { Command } from 'commander'
import { closest } from '../../closest.ts'
import { EXPLANATIONS, type Explanation } from '../../explanations/catalogue.ts'
import { remedyLines, usageError } from '../failure.ts'
import { type GlobalOptions, withExamples } from '../options.ts'
import { Output, type Pen } from '../output.ts'
import type { Cell } from '../text.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync explain signature_mismatch', 'its meaning and remedy'],
    ['clerk-sync explain', 'list every code'],
  ])
  command
    .argument('[code]', 'code of an error, a doctor result or an event’s reason')
    .action((code: string | undefined, _, self: Command) => explain(code, self.optsWithGlobals()))
}

function explain(code: string | undefined, options: GlobalOptions): void {
  const output = new Output(options)
  if (code === undefined) {
    output.list(EXPLANATIONS, toCells)
    return
  }
  const explanation = find(code)
  output.print(explanation, (pen) => explanationLines(explanation, pen))
}

function find(code: string): Explanation {
  const explanation = EXPLANATIONS.find((each) => each.code === code)
  if (explanation !== undefined) return explanation
  const likely = closest(
    code,
    EXPLANATIONS.map((each) => each.code),
  )
  const remedy = likely === undefined ? '`clerk-sync explain` lists all codes.' : `Did you mean ${likely}?`
  throw usageError(`There is no code "${code}".`, remedy)
}

function toCells({ code, kind, summary }: Explanation, { colors }: Pen): Cell[] {
  return [{ text: code, style: colors.bold }, { text: kind, style: colors.dim }, { text: summary }]
}

function explanationLines({ code, kind, summary, remedy, status }: Explanation, pen: Pen): string[] {
  const answer = status === undefined ? '' : `, answered with HTTP ${status}`
  return [
    `${pen.colors.bold(code)}  ${pen.colors.dim(`${kind}${answer}`)}`,
    `  ${summary}.`,
    ...remedyLines(remedy, 2, pen),
  ]
}
