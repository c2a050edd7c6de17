/** The word that was probably meant. */

/** The candidate that is closest to a word, if one is close. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const distances = candidates.map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
  const [best] = distances.sort((a, b) => a.distance - b.distance)
  return best && best.distance <= word.length / 3 ? best.candidate : undefined
}

/** How many letters must be added, removed or changed: Levenshtein's distance, row by row, without case. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...from.toLowerCase()].entries()) {
    const above = row
    row = [index + 1]
    for (const [column, other] of [...to.toLowerCase()].entries()) {
      const changed = (above[column] as number) + (letter === other ? 0 : 1)
      row.push(Math.min(changed, (above[column + 1] as number) + 1, (row[column] as number) + 1))
    }
  }
  return row.at(-1) as number
}
