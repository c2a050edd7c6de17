/** Numbers for people. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle) - 1] as number)) / 2
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number }
}

/** The value below which that share of the sorted values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Columns as wide as their widest cell; the first is text, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** `1,234 (1,200–1,300)` */
export function wholeSpread({ median, min, max }: Spread): string {
  return `${whole(median)} (${whole(min)}–${whole(max)})`
}

/** A goal and whether it is reached. */
export interface Aim {
  readonly name: string
  readonly value: number
  readonly atLeast?: number
  readonly atMost?: number
  /** What is wanted beyond `atLeast`. */
  readonly aim?: number
}

export function aimLine({ name, value, atLeast, atMost, aim }: Aim): string {
  const goals = [
    ...(atLeast === undefined ? [] : [goal('≥', atLeast, value >= atLeast)]),
    ...(atMost === undefined ? [] : [goal('≤', atMost, value <= atMost)]),
    ...(aim === undefined ? [] : [goal('aim', aim, value >= aim)]),
  ]
  return `${name}: ${value.toFixed(2)} (${goals.join(', ')})`
}

function goal(name: string, number: number, isReached: boolean): string {
  return `${name} ${Number(number.toFixed(2))}: ${isReached ? 'reached' : 'missed'}`
}

/** Progress goes to stderr, so that stdout holds the result alone. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
