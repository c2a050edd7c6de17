import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createClerkSync } from '../../src/index.ts'
import { Turns } from '../../src/webhook/turns.ts'
import { SECRET } from '../support/databases.ts'
import { sign } from '../support/deliveries.ts'

/** In which order callers pass, a list for each turn of the event loop in which any did. */
async function passing(callers: readonly Promise<unknown>[]): Promise<number[][]> {
  let now: number[] = []
  const turns: number[][] = []
  callers.forEach((caller, at) => {
    void caller.finally(() => now.push(at)).catch(() => undefined)
  })
  while (turns.flat().length < callers.length) {
    now = []
    await nextTurn()
    if (now.length > 0) turns.push(now)
  }
  return turns
}

const takeAll = (turns: Turns, count: number) => passing(Array.from({ length: count }, () => turns.take()))

const TEN_IN_TURNS = [
  [0, 1, 2, 3],
  [4, 5, 6, 7],
  [8, 9],
]

describe('turns', () => {
  it('let four pass in each turn of the event loop, in order', async () => {
    expect(await takeAll(new Turns(), 10)).toEqual(TEN_IN_TURNS)
  })

  it('go on after everybody has passed', async () => {
    const turns = new Turns()
    await takeAll(turns, 4)
    expect(await takeAll(turns, 1)).toEqual([[0]])
    expect(await takeAll(turns, 10)).toEqual(TEN_IN_TURNS)
  })

  it('are what the deliveries of a burst are verified in', async () => {
    await using sync = createClerkSync({ signingSecret: SECRET, database: 'memory://' })
    const { headers } = sign({ type: 'user.created' })
    const burst = Array.from({ length: 10 }, () => sync.receive('forged', headers))
    expect(await passing(burst)).toEqual(TEN_IN_TURNS)
  })
})
