import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { workAhead } from '../../src/backfill/work-ahead.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let value = 0; value < count; value++) yield value
}

/** Notes what is begun, finished and yielded; earlier values take longer. */
async function observe(count: number, most: number, failing?: number) {
  const notes: string[] = []
  let [underWay, together] = [0, 0]
  const work = async (value: number) => {
    together = Math.max(together, ++underWay)
    await sleep((count - value) * 3)
    underWay--
    if (value === failing) throw new Error(`${value} failed`)
    notes.push(`done ${value}`)
  }
  const run = async () => {
    for await (const value of workAhead(numbers(count), most, work)) notes.push(`yielded ${value}`)
  }
  const error = await run().then(
    () => undefined,
    (reason: Error) => reason.message,
  )
  return { notes, together, error, underWay }
}

describe('working ahead', () => {
  it('works on some at once and yields each in order, when it is done', async () => {
    const { notes, together } = await observe(8, 3)
    expect(together).toBe(3)
    expect(notes.filter((note) => note.startsWith('yielded'))).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((value) => `yielded ${value}`),
    )
    for (let value = 0; value < 8; value++) {
      expect(notes.indexOf(`done ${value}`)).toBeLessThan(notes.indexOf(`yielded ${value}`))
    }
  })

  it('works on one at a time if told to', async () => {
    const { notes, together } = await observe(3, 1)
    expect(together).toBe(1)
    expect(notes).toEqual(['done 0', 'yielded 0', 'done 1', 'yielded 1', 'done 2', 'yielded 2'])
  })

  it('fails in its place, when what was under way is finished', async () => {
    const { notes, error, underWay } = await observe(8, 3, 2)
    expect(error).toBe('2 failed')
    expect(underWay).toBe(0)
    expect(notes.filter((note) => note.startsWith('yielded'))).toEqual(['yielded 0', 'yielded 1'])
  })

  it('ends the source when nobody listens any more', async () => {
    let hasEnded = false
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield 1
      } finally {
        hasEnded = true
      }
    }
    for await (const _ of workAhead(endless(), 2, async () => undefined)) break
    expect(hasEnded).toBe(true)
  })
})
