/** What `init` changes in a file, as lines to show. */

const CONTEXT = 3

/**
 * The lines of one change, each with `+`, `-` or a space in front. What both texts begin and end with is left out but for
 * three lines: what `init` changes is in one place.
 */
export function diffLines(before: string, after: string): string[] {
  const [old, now] = [linesOf(before), linesOf(after)]
  const shorter = Math.min(old.length, now.length)
  const head = countWhile(shorter, (at) => old[at] === now[at])
  const tail = countWhile(shorter - head, (at) => old[old.length - 1 - at] === now[now.length - 1 - at])
  return [
    ...old.slice(Math.max(0, head - CONTEXT), head).map((line) => `  ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `- ${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+ ${line}`),
    ...old
      .slice(old.length - tail)
      .slice(0, CONTEXT)
      .map((line) => `  ${line}`),
  ]
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
}

function countWhile(limit: number, isSame: (at: number) => boolean): number {
  let count = 0
  while (count < limit && isSame(count)) count++
  return count
}
