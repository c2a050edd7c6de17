import { describe, expect, it } from 'vitest'
import type { TrafficPoint } from '../../dashboard/src/api.ts'
import { barsOf, lagHeight, lagPath, stackOf, totalsOf } from '../../dashboard/src/parts/traffic.ts'

const EMPTY: TrafficPoint = {
  at: '2026-11-24T14:00:00.000Z',
  applied: 0,
  stale: 0,
  ignored: 0,
  parked: 0,
  failed: 0,
  duplicate: 0,
  rejected: 0,
  handlerFailed: 0,
  lag: { p50Ms: null, p95Ms: null },
}
const point = (changes: Partial<TrafficPoint>): TrafficPoint => ({ ...EMPTY, ...changes })

describe('the stacks of a chart', () => {
  it('hold each event once: what a handler fails for was applied', () => {
    const stack = stackOf(
      point({ applied: 10, stale: 2, duplicate: 1, ignored: 1, handlerFailed: 3, rejected: 4 }),
    )
    expect(stack).toEqual({ applied: 7, skipped: 4, failing: 3, rejected: 4, total: 18 })
  })

  it('hold no less than nothing, where runs fail for events that were applied in another bucket', () => {
    expect(stackOf(point({ applied: 1, handlerFailed: 3 }))).toMatchObject({
      applied: 0,
      failing: 3,
      total: 3,
    })
  })

  it('add up to what is said to those who do not see them', () => {
    const points = [point({ applied: 5 }), point({ applied: 1, rejected: 2 })]
    const traffic = { since: EMPTY.at, until: EMPTY.at, bucketSeconds: 60, points, releases: [] }
    expect(totalsOf(traffic)).toEqual({ applied: 6, skipped: 0, failing: 0, rejected: 2, total: 8 })
  })
})

describe('the bars', () => {
  const heightsOf = (path: string) => [...path.matchAll(/v-([\d.]+)/g)].map(([, height]) => Number(height))

  it('reach as high as their share of a round number', () => {
    const { paths, ticks } = barsOf(
      [stackOf(point({ applied: 40 })), stackOf(point({ applied: 20 }))],
      100,
      50,
    )
    expect([ticks.at(-1), heightsOf(paths.applied)]).toEqual([40, [50, 25]])
    expect(barsOf([stackOf(point({ applied: 1_234 }))], 100, 50).ticks).toEqual([0, 500, 1_000, 1_500])
  })

  it('stand on one another, and a single one among thousands is seen', () => {
    const { paths } = barsOf([stackOf(point({ applied: 9_999, rejected: 1 }))], 100, 50)
    expect(heightsOf(paths.rejected)).toEqual([1.5])
    expect(paths.rejected).toMatch(/^M0 0v/)
    expect(paths.skipped).toBe('')
  })

  it('are none where nothing happened', () => {
    expect(barsOf([], 100, 50)).toEqual({
      ticks: [0, 1],
      paths: { applied: '', skipped: '', failing: '', rejected: '' },
    })
  })
})

describe('the line of the lag', () => {
  it('is drawn from a hundredth of a second to an hour, by powers of ten', () => {
    expect([lagHeight(1, 100), lagHeight(10, 100), lagHeight(3_600_000, 100), lagHeight(1e9, 100)]).toEqual([
      100, 100, 0, 0,
    ])
    const [small, large] = [
      lagHeight(100, 100) - lagHeight(1_000, 100),
      lagHeight(1_000, 100) - lagHeight(10_000, 100),
    ]
    expect(small).toBeCloseTo(large, 0)
  })

  it('has a gap where there was nothing', () => {
    const lag = { p50Ms: 100, p95Ms: 1_000 }
    const path = lagPath([point({ lag }), point({}), point({ lag }), point({ lag })], 'p95Ms', 400, 100)
    expect(path.match(/M/g)).toHaveLength(2)
    expect(path.match(/L/g)).toHaveLength(1)
  })
})
