/**
 * In Redis: the claim is a key with a lease, renewed while the work goes on, and replaced by a mark when it is done.
 *
 * Redis forgets what it has not written to disk when it crashes, and a process that is paused for longer than its lease
 * is overtaken: the work is done at least once, and hardly ever twice. Where that matters, keep it in Postgres.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim, IdempotencyStore } from './store.ts'

/** The one command that is used, as ioredis has it. With node-redis: `(script, count, ...words) => client.eval(script, { keys: words.slice(0, count), arguments: words.slice(count) })` */
export interface RedisLike {
  eval(script: string, keyCount: number, ...words: string[]): Promise<unknown>
}

export interface RedisStoreOptions {
  /**
   * What the keys begin with.
   * @default "clerk-processed:"
   */
  readonly prefix?: string | undefined
  /**
   * How many seconds a claim holds when its process dies. It is renewed while the work goes on.
   * @default 30
   */
  readonly leaseSeconds?: number | undefined
  /**
   * How many days a processed message is remembered. Svix lets people send one again for 90 days.
   * @default 90
   */
  readonly retentionDays?: number | undefined
}

// Each looks and acts in one step: Redis runs a script alone.
const CLAIM = `
  local found = redis.call('get', KEYS[1])
  if found == 'done' then return 'done' end
  if found then return 'busy' end
  redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 'claimed'`
const RENEW = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`
const FINISH = `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], 'done', 'PX', ARGV[2]) return 1 end return 0`
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`

const POLL_MS = 50
const DAY_MS = 86_400_000

/**
 * Remembers processed messages in Redis.
 *
 * @example
 * const store = redisStore(new Redis('redis://localhost:6379'))
 */
export function redisStore(
  redis: RedisLike,
  { prefix = 'clerk-processed:', leaseSeconds = 30, retentionDays = 90 }: RedisStoreOptions = {},
): IdempotencyStore<null> {
  const leaseMs = leaseSeconds * 1_000
  return {
    async once({ svixId, waitMs }: Claim, work) {
      const [key, token] = [prefix + svixId, randomUUID()]
      const found = await claim(redis, key, token, leaseMs, waitMs)
      if (found !== 'claimed') return found === 'done' ? 'duplicate' : 'in_progress'
      const renewal = setInterval(
        () => void redis.eval(RENEW, 1, key, token, String(leaseMs)).catch(() => undefined),
        leaseMs / 3,
      )
      try {
        await work(null)
        await redis.eval(FINISH, 1, key, token, String(retentionDays * DAY_MS))
        return 'processed'
      } catch (error) {
        await redis.eval(RELEASE, 1, key, token).catch(() => undefined)
        throw error
      } finally {
        clearInterval(renewal)
      }
    },
  }
}

/** Waits for somebody else who has the claim. */
async function claim(
  redis: RedisLike,
  key: string,
  token: string,
  leaseMs: number,
  waitMs: number,
): Promise<unknown> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const found = await redis.eval(CLAIM, 1, key, token, String(leaseMs))
    if (found !== 'busy' || Date.now() >= deadline) return found
    await sleep(POLL_MS)
  }
}
