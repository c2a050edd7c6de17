import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Gather } from '../../src/ingest/gather.ts'

const LIMITS = { maxItems: 10, maxCommits: 1, deadlineMs: 200 }

/** A group commit whose commits the test ends. */
function controlled(limits: Partial<typeof LIMITS> = {}) {
  const flights: { items: readonly number[]; end: (error?: Error) => void }[] = []
  const commits = new Gather<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(items.map((item) => `done ${item}`)))
        flights.push({ items, end })
      }),
    () => 100,
    { ...LIMITS, ...limits },
  )
  return { commits, flights }
}

/** Lets everything that is ready run. */
const turn = () => sleep(5)

describe('group commit', () => {
  it('commits a single item at once', async () => {
    const { commits, flights } = controlled()
    const done = commits.submit(1)
    await turn()
    expect(flights.map((flight) => flight.items)).toEqual([[1]])
    flights[0]?.end()
    expect(await done).toBe('done 1')
  })

  it('acknowledges what was committed before the rest of its batch failed', async () => {
    const commits = new Gather<number, string>(
      async (items, tell) => {
        tell(1, `done ${items[1]}`)
        throw new Error('the database is gone')
      },
      () => 100,
      LIMITS,
    )
    const results = await Promise.allSettled([1, 2, 3].map((item) => commits.submit(item)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
    expect(results[1]).toMatchObject({ value: 'done 2' })
  })

  it('gathers what arrives during a commit into the next one, in order', async () => {
    const { commits, flights } = controlled()
    const results = [commits.submit(1)]
    await turn()
    for (const item of [2, 3, 4]) results.push(commits.submit(item))
    await turn()
    expect(flights).toHaveLength(1)
    flights[0]?.end()
    await turn()
    expect(flights[1]?.items).toEqual([2, 3, 4])
    flights[1]?.end()
    expect(await Promise.all(results)).toEqual(['done 1', 'done 2', 'done 3', 'done 4'])
  })

  it('takes no more items into a commit than allowed', async () => {
    const { commits, flights } = controlled({ maxItems: 2 })
    const results = [1, 2, 3].map((item) => commits.submit(item))
    await turn()
    flights[0]?.end()
    await turn()
    flights[1]?.end()
    await Promise.all(results)
    expect(flights.map((flight) => flight.items)).toEqual([[1, 2], [3]])
  })

  it('commits as many batches at the same time as allowed, and gathers the rest', async () => {
    const { commits, flights } = controlled({ maxCommits: 2, deadlineMs: 10_000 })
    const results: Promise<string>[] = []
    for (const item of [1, 2]) {
      results.push(commits.submit(item))
      await vi.waitFor(() => expect(flights).toHaveLength(item))
    }
    for (const item of [3, 4]) results.push(commits.submit(item))
    await turn()
    expect(flights.map((flight) => flight.items)).toEqual([[1], [2]])
    flights[1]?.end()
    await turn()
    expect(flights[2]?.items).toEqual([3, 4])
    for (const flight of flights) flight.end()
    expect(await Promise.all(results)).toEqual(['done 1', 'done 2', 'done 3', 'done 4'])
  })

  it('keeps what is about the same thing for the commit after', async () => {
    const batches: (readonly string[])[] = []
    const ends: (() => void)[] = []
    const commits = new Gather<string, string>(
      (items) =>
        new Promise((resolve) => {
          batches.push(items)
          ends.push(() => resolve(items))
        }),
      () => 100,
      { ...LIMITS, maxCommits: 3 },
      (item) => item[0] ?? null,
    )
    const results = [commits.submit('a1')]
    await sleep(20)
    for (const item of ['a2', 'b1', 'a3']) results.push(commits.submit(item))
    await sleep(20)
    expect(batches).toEqual([['a1'], ['b1']])
    ends[0]?.()
    await sleep(20)
    expect(batches[2]).toEqual(['a2', 'a3'])
    for (const end of ends) end()
    expect(await Promise.all(results)).toEqual(['a1', 'a2', 'b1', 'a3'])
  })

  it('cuts a batch of very large items', async () => {
    const mebibytes: number[] = []
    const commits = new Gather<number, number>(
      async (items) => {
        mebibytes.push(items.length)
        return items
      },
      () => 3 * 1024 * 1024,
      LIMITS,
    )
    expect(await Promise.all([1, 2, 3, 4, 5].map((item) => commits.submit(item)))).toEqual([1, 2, 3, 4, 5])
    expect(mebibytes).toEqual([2, 2, 1])
  })

  it('fails every item of a commit that fails, and goes on', async () => {
    const { commits, flights } = controlled()
    const results = Promise.allSettled([commits.submit(1), commits.submit(2)])
    await turn()
    flights[0]?.end(new Error('no'))
    expect((await results).map((result) => result.status)).toEqual(['rejected', 'rejected'])
    const next = commits.submit(3)
    await turn()
    flights[1]?.end()
    expect(await next).toBe('done 3')
  })

  it('lets a commit that hangs hold up the others no longer than the deadline', async () => {
    const { commits, flights } = controlled({ deadlineMs: 40 })
    const stuck = commits.submit(1)
    await expect(stuck).rejects.toMatchObject({ code: 'database_timeout' })
    const next = commits.submit(2)
    await turn()
    flights[1]?.end()
    expect(await next).toBe('done 2')
    flights[0]?.end()
  })

  it('piles up no more than a few hanging commits, and never commits what was refused while it waited', async () => {
    const { commits, flights } = controlled({ deadlineMs: 20 })
    for (let item = 0; item < 6; item++) await commits.submit(item).catch(() => undefined)
    expect(flights).toHaveLength(3)
    for (const flight of flights) flight.end()
    await turn()
    const next = commits.submit(7)
    await turn()
    flights[3]?.end()
    expect(await next).toBe('done 7')
    expect(flights[3]?.items).toEqual([7])
  })

  it('closes after the last commit and takes nothing more', async () => {
    const { commits, flights } = controlled()
    const results = [commits.submit(1)]
    await turn()
    results.push(commits.submit(2))
    let isClosed = false
    const closed = commits.close().then(() => {
      isClosed = true
    })
    await expect(commits.submit(3)).rejects.toMatchObject({ code: 'shutting_down', status: 503 })
    flights[0]?.end()
    await turn()
    expect(isClosed).toBe(false)
    flights[1]?.end()
    await closed
    expect(await Promise.all(results)).toEqual(['done 1', 'done 2'])
  })

  it('closes at once when nothing is under way, however often it is asked', async () => {
    const { commits } = controlled()
    await commits.close()
    await commits.close()
  })
})

describe('the size of a batch', () => {
  afterEach(() => vi.useRealTimers())

  /** Time stands still but for `advanceTimersByTime`. */
  function timeless() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    return controlled({ maxItems: 500, maxCommits: 3, deadlineMs: 5_000 })
  }

  /** One turn of the event loop. */
  const loop = () => new Promise((resolve) => setImmediate(resolve))

  const turns = async () => {
    for (let count = 0; count < 5; count++) await loop()
  }

  const submit = ({ commits }: ReturnType<typeof timeless>, count: number) => {
    for (let item = 0; item < count; item++) void commits.submit(item)
  }

  /** Commits so many items together, several times, in so many milliseconds. */
  async function settle(gather: ReturnType<typeof timeless>, items: number, ms: number): Promise<void> {
    for (let round = 0; round < 30; round++) {
      submit(gather, items)
      await turns()
      vi.advanceTimersByTime(ms)
      for (const { end } of gather.flights.splice(0)) end()
      await turns()
    }
  }

  it('is all that one turn of the event loop after the other finds', async () => {
    const gather = timeless()
    for (let count = 0; count < 4; count++) {
      submit(gather, 1)
      await loop()
    }
    await turns()
    expect(gather.flights.map(({ items }) => items.length)).toEqual([4])
  })

  it('is what batches had of late, beside another one', async () => {
    const gather = timeless()
    await settle(gather, 32, 1)
    submit(gather, 32)
    await turns()
    submit(gather, 31)
    await turns()
    expect(gather.flights.map(({ items }) => items.length)).toEqual([32])
    submit(gather, 1)
    await turns()
    expect(gather.flights.map(({ items }) => items.length)).toEqual([32, 32])
  })

  it('does not shrink because three may run at the same time', async () => {
    const gather = timeless()
    await settle(gather, 300, 1)
    submit(gather, 1)
    await turns()
    submit(gather, 50)
    await turns()
    expect(gather.flights.map(({ items }) => items.length)).toEqual([1])
    submit(gather, 50)
    await turns()
    expect(gather.flights.map(({ items }) => items.length)).toEqual([1, 100])
  })

  it('is small where commits are slow by nature, which begin at equal distances', async () => {
    const gather = timeless()
    await settle(gather, 1, 300)
    submit(gather, 1)
    await turns()
    submit(gather, 1)
    await turns()
    vi.advanceTimersByTime(80)
    await turns()
    expect(gather.flights).toHaveLength(1)
    vi.advanceTimersByTime(20)
    await turns()
    expect(gather.flights).toHaveLength(2)
  })
})
