/** What a command that goes on tells while it starts: a line for each thing that is ready. */

import type { Output } from './output.ts'

/** `✓ Database  embedded Postgres in .clerk-sync` */
export function step(output: Output, name: string, text: string, mark?: string): void {
  const { green, bold } = output.stderr.colors
  output.note(`  ${mark ?? green('✓')} ${bold(name.padEnd(9))} ${text}`)
}

/** More about the step before. */
export function detail(output: Output, text: string): void {
  output.note(`    ${''.padEnd(9)} ${text}`)
}
