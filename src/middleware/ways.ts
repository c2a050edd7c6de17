/** Every way through a program whose conditions are partly unknown: each unknown condition is tried both ways. */

/** Six unknown conditions in a row; what needs more is not told by reading. */
const MAX_WAYS = 64

/** Answers an unknown condition. */
export type Decide = () => boolean

/** Undefined if there are too many. */
export function waysThrough<Outcome>(walk: (decide: Decide) => Outcome): Outcome[] | undefined {
  const outcomes: Outcome[] = []
  const pending: boolean[][] = [[]]
  for (let given = pending.pop(); given !== undefined; given = pending.pop()) {
    if (outcomes.length >= MAX_WAYS) return undefined
    outcomes.push(walk(follow(given, pending)))
  }
  return outcomes
}

/** Decides as given, then always no; the other answers are noted as pending. */
function follow(given: readonly boolean[], pending: boolean[][]): Decide {
  const made: boolean[] = []
  return () => {
    const decision = given[made.length] ?? false
    if (made.length >= given.length) pending.push([...made, true])
    made.push(decision)
    return decision
  }
}
