/** The lines at the bottom of the terminal while `dev` runs. */

import { NARROW } from '../entry.ts'
import type { Pen } from '../output.ts'
import { cut } from '../text.ts'

export interface Footer {
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

export function footerLines({ counts, p95, activity, trouble, prompt, keys }: Footer, pen: Pen): string[] {
  const { dim } = pen.colors
  // A line as wide as the terminal would leave the cursor where terminals differ.
  const width = pen.width - 1
  const isNarrow = pen.width < NARROW
  const pace = p95 === undefined || isNarrow ? '' : `p95 ${p95}ms   `
  const wellbeing = isNarrow ? '' : `● ${activity}`
  const state = trouble === undefined ? wellbeing : `✗ ${trouble}${isNarrow ? '' : `, ${activity}`}`
  const lines = [
    dim('─'.repeat(width)),
    spread(counts, `${pace}${state}`, width),
    prompt === undefined
      ? dim(`  ${isNarrow ? '[?] [q]uit' : fitting(keys.slice(0, -2), '[?]  [q]uit', '  ', width - 2)}`)
      : cut(`  ${prompt}`, width),
  ]
  return lines.map((line) => pen.legible(line))
}

/** A line of two parts, one at each end of the width; of the left one goes what has no room. */
function spread(counts: readonly string[], right: string, width: number): string {
  const left = `  ${fitting(counts, '', ' · ', width - right.length - 3)}`
  return `${left}${right.padStart(width - left.length)}`
}

/** As many of the parts as there is room for, and the last one. */
function fitting(parts: readonly string[], last: string, separator: string, width: number): string {
  const line = [...parts, last].filter(Boolean).join(separator)
  return line.length <= width || parts.length === 0
    ? line
    : fitting(parts.slice(0, -1), last, separator, width)
}
