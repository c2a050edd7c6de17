/** Nonsense in a number is refused by the option's name: it must neither hang nor be taken for something else. */

import { afterAll, describe, expect, it } from 'vitest'
import { type ClerkSyncOptions, createClerkSync, on, processIdempotently } from '../src/index.ts'
import { startServer } from '../src/server/server.ts'
import { SECRET } from './support/databases.ts'

const base: ClerkSyncOptions = { signingSecret: SECRET, database: 'memory://' }
const sync = createClerkSync(base)
afterAll(() => sync.close())

const NONSENSE = [
  Number.NaN,
  -1,
  Number.NEGATIVE_INFINITY,
  '5' as unknown as number,
  null as unknown as number,
]
const WITH_ZERO = [0, ...NONSENSE]

/** By option: what takes it, and what it must refuse beside what is nonsense everywhere. */
const TAKERS: Readonly<
  Record<string, readonly [take: (value: number) => unknown, values: readonly unknown[]]>
> = {
  toleranceSeconds: [
    (value) => createClerkSync({ ...base, toleranceSeconds: value }),
    WITH_ZERO.slice(0, -1),
  ],
  maxBodyBytes: [(value) => createClerkSync({ ...base, maxBodyBytes: value }), WITH_ZERO.slice(0, -1)],
  commitTimeoutMs: [
    (value) => createClerkSync({ ...base, commitTimeoutMs: value }),
    [...WITH_ZERO.slice(0, -1), 2 ** 31],
  ],
  apiRateLimit: [(value) => createClerkSync({ ...base, apiRateLimit: value }), WITH_ZERO.slice(0, -1)],
  timeoutSeconds: [
    (value) => on('*', () => undefined, { name: 'a', timeoutSeconds: value }),
    [...WITH_ZERO, 2 ** 31],
  ],
  concurrency: [(value) => on('*', () => undefined, { name: 'a', concurrency: value }), [...WITH_ZERO, 1.5]],
  retries: [(value) => on('*', () => undefined, { name: 'a', retries: [value] }), NONSENSE],
  perSecond: [(value) => sync.replay({}, { perSecond: value }), WITH_ZERO],
  'perSecond ': [(value) => sync.handlers.retry({ handlers: ['h'] }, { perSecond: value }), WITH_ZERO],
  stopAfterFailures: [(value) => sync.handlers.retry({}, { stopAfterFailures: value }), [...WITH_ZERO, 1.5]],
  maxSeconds: [(value) => sync.drain({ maxSeconds: value }), WITH_ZERO],
  timeoutMs: [(value) => sync.waitFor('users', 'user_1', { timeoutMs: value }), NONSENSE],
  waitSeconds: [
    (value) => processIdempotently('msg_1', 'user.created', () => undefined, { waitSeconds: value }),
    NONSENSE,
  ],
  graceMs: [(value) => startServer({ sync, port: 0, graceMs: value }), NONSENSE],
  'maintenance.everyMs': [
    (value) => startServer({ sync, port: 0, maintenance: { everyMs: value } }),
    WITH_ZERO,
  ],
  'reconcile.everyMs': [(value) => startServer({ sync, port: 0, reconcile: { everyMs: value } }), WITH_ZERO],
  handlerGraceMs: [async (value) => sync.close({ handlerGraceMs: value }), NONSENSE],
}

describe('a number that makes no sense', () => {
  for (const [name, [take, values]] of Object.entries(TAKERS)) {
    it.each([...values])(`is refused as ${name}: %s`, async (value) => {
      await expect((async () => take(value as number))()).rejects.toMatchObject({
        code: expect.stringMatching(/^(option|handler)_invalid$/),
        message: expect.stringContaining(`${name.trim()} must be a `),
      })
    })
  }

  it('is refused as maxDeletions, before Clerk is asked', async () => {
    await using other = createClerkSync({ ...base, secretKey: 'sk_test_x', apiUrl: 'http://127.0.0.1:1' })
    await expect(other.reconcile({ maxDeletions: Number.NaN })).rejects.toMatchObject({
      code: 'option_invalid',
    })
  })
})

it('refuses a date that is none, by the name of its condition', async () => {
  await using other = createClerkSync(base)
  const since = new Date('yesterday')
  const refused = { code: 'option_invalid', message: expect.stringContaining('since must be a valid Date') }
  await expect(other.replay({ since })).rejects.toMatchObject(refused)
  await expect(other.handlers.count({ since })).rejects.toMatchObject(refused)
  await expect(other.handlers.retry({ since })).rejects.toMatchObject(refused)
})
