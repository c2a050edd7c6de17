/** `clerk-sync explain`: what a code means and what to do about it. Works without a network. */

import type { Command } from 'commander'
import { closest } from '../../closest.ts'
import { EXPLANATIONS, type Explanation } from '../../explanations/catalogue.ts'
import { remedyLines, usageError } from '../failure.ts'
import { layOut } from '../layout.ts'
import { withExamples } from '../options.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync explain signature_mismatch', 'its meaning and remedy'],
    ['clerk-sync explain', 'list every code'],
  ])
  command
    .argument('[code]', 'code of an error, a doctor result or an event’s reason')
    .action((code: string | undefined, _, self: Command) => explain(code, self.optsWithGlobals()))
}

function explain(code: string | undefined, options: OutputOptions): void {
  const { json, stdout } = new Output(options)
  const found = code === undefined ? EXPLANATIONS : [find(code)]
  if (json) for (const explanation of found) stdout.record(explanation)
  else if (code === undefined) for (const line of list(found, stdout)) stdout.line(line)
  else for (const line of found.flatMap((each) => tell(each, stdout))) stdout.line(line)
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

function list(explanations: readonly Explanation[], pen: Pen): string[] {
  const rows = explanations.map(({ code, kind, summary }) => [
    { text: code, style: pen.colors.bold },
    { text: kind, style: pen.colors.dim },
    { text: summary },
  ])
  return layOut(rows, pen.width)
}

function tell({ code, kind, summary, remedy, status }: Explanation, pen: Pen): string[] {
  const answer = status === undefined ? '' : `, answered with HTTP ${status}`
  return [
    `${pen.colors.bold(code)}  ${pen.colors.dim(`${kind}${answer}`)}`,
    `  ${summary}.`,
    ...remedyLines(remedy, 2, pen),
  ]
}
