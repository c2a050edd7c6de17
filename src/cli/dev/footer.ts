/** The lines below the log: what was counted, and which keys there are. */

import { roomOf } from '../layout.ts'
import type { Pen } from '../output.ts'
import { spread } from '../pinned.ts'
import { cut } from '../text.ts'

export interface FooterState {
  /** `38 in`, `33 applied` … */
  readonly counts: readonly string[]
  /** Milliseconds. */
  readonly p95: number | undefined
  /** `live`, `paused` … */
  readonly activity: string
  /** What is wrong with the app that deliveries are forwarded to; undefined if nothing is. */
  readonly trouble: string | undefined
  /** In place of the keys, while something is typed. */
  readonly prompt: string | undefined
  /** `[s]end event` … */
  readonly keys: readonly string[]
}

export function footerLines(
  { counts, p95, activity, trouble, prompt, keys }: FooterState,
  pen: Pen,
): string[] {
  const { dim } = pen.colors
  // A line as wide as the terminal would leave the cursor where terminals differ.
  const width = pen.width - 1
  const pace = p95 === undefined ? '' : `p95 ${p95}ms   `
  const state = trouble === undefined ? `● ${activity}` : `✗ ${trouble}, ${activity}`
  const isNarrow = roomOf(pen.width) === 'narrow'
  const right = isNarrow ? '' : `${pace}${state}`
  const shownKeys = isNarrow ? '[?] [q]uit' : keys.join('  ')
  const lines = [
    dim('─'.repeat(width)),
    spread(`  ${counts.join(' · ')}`, right, width),
    prompt === undefined ? dim(cut(`  ${shownKeys}`, width)) : cut(`  ${prompt}`, width),
  ]
  return lines.map((line) => pen.legible(line))
}
