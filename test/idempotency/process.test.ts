import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { type IdempotencyStore, postgresStore, processIdempotently, redisStore } from '../../src/index.ts'
import { describeWithPostgres } from '../support/databases.ts'
import { describeWithRedis } from '../support/redis.ts'

const name = `t_${randomBytes(6).toString('hex')}`
let made = 0
const newId = () => `msg_once${name}${made++}`

const PROCESSED = { processed: true, duplicate: false, inProgress: false }
const DUPLICATE = { processed: false, duplicate: true, inProgress: false }
const IN_PROGRESS = { processed: false, duplicate: false, inProgress: true }

/** What must hold wherever it is remembered. */
function storeContract(title: string, open: () => IdempotencyStore<unknown>): void {
  describe(title, () => {
    const once = (id: string, handler: () => unknown, waitSeconds = 5) =>
      processIdempotently(id, 'user.created', handler, { store: open(), waitSeconds })

    it('runs a handler for the first delivery of a message only', async () => {
      const id = newId()
      let count = 0
      expect(await once(id, () => count++)).toEqual(PROCESSED)
      expect(await once(id, () => count++)).toEqual(DUPLICATE)
      expect(await once(newId(), () => count++)).toEqual(PROCESSED)
      expect(count).toBe(2)
    })

    it('runs it again when the first attempt failed', async () => {
      const id = newId()
      const failing = once(id, () => {
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(await once(id, () => undefined)).toEqual(PROCESSED)
    })

    it('runs it in one of many callers at once, while the others wait', async () => {
      const id = newId()
      let count = 0
      const handler = async () => {
        await sleep(50)
        count++
      }
      const results = await Promise.all(Array.from({ length: 8 }, () => once(id, handler)))
      expect(count).toBe(1)
      expect(results.filter(({ processed }) => processed)).toHaveLength(1)
      expect(results.filter(({ duplicate }) => duplicate)).toHaveLength(7)
    })

    it('lets one who waited go on when the first attempt fails', async () => {
      const id = newId()
      const first = once(id, async () => {
        await sleep(100)
        throw new Error('no')
      })
      await sleep(30)
      const second = once(id, () => undefined)
      await expect(first).rejects.toThrow('no')
      expect(await second).toEqual(PROCESSED)
    })

    it('says so when somebody else is still at it', async () => {
      const id = newId()
      const slow = once(id, () => sleep(500))
      await sleep(100)
      expect(await once(id, () => undefined, 0.1)).toEqual(IN_PROGRESS)
      expect(await slow).toEqual(PROCESSED)
    })
  })
}

describeWithPostgres('once per message, in Postgres', (url) => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  afterAll(async () => {
    await pool.query(`drop table if exists "${name}"; drop table if exists "${name}_effects"`)
    await pool.end()
  })
  storeContract('in a table', () => postgresStore(pool, { table: name }))

  it('commits what the handler writes with the claim, and not without it', async () => {
    await pool.query(`create table "${name}_effects" (id text)`)
    const store = postgresStore(pool, { table: name })
    const id = newId()
    const write = async (client: pg.PoolClient) => {
      await client.query(`insert into "${name}_effects" values ($1)`, [id])
    }
    const failing = processIdempotently(
      id,
      'user.created',
      async (client: pg.PoolClient) => {
        await write(client)
        throw new Error('after it has written')
      },
      { store },
    )
    await expect(failing).rejects.toThrow('after it has written')
    await processIdempotently(id, 'user.created', write, { store })
    await processIdempotently(id, 'user.created', write, { store })
    const { rows } = await pool.query(`select id from "${name}_effects"`)
    expect(rows).toEqual([{ id }])
  })

  it('fails when the handler swallowed an error of its transaction', async () => {
    const store = postgresStore(pool, { table: name })
    const id = newId()
    const swallowing = processIdempotently(
      id,
      'user.created',
      async (client: pg.PoolClient) => {
        await client.query('select nonsense').catch(() => undefined)
      },
      { store },
    )
    await expect(swallowing).rejects.toThrow('nothing was committed')
    expect(await processIdempotently(id, 'user.created', () => undefined, { store })).toEqual(PROCESSED)
  })

  it('runs the handler again when the process of the first attempt died', async () => {
    const store = postgresStore(pool, { table: name })
    const id = newId()
    const dying = processIdempotently(
      id,
      'user.created',
      async (client: pg.PoolClient) => {
        const { rows } = await client.query('select pg_backend_pid() as pid')
        // As when the process is gone: the server sees its connection end.
        await pool.query('select pg_terminate_backend($1)', [rows[0].pid])
      },
      { store },
    )
    await expect(dying).rejects.toThrow()
    expect(await processIdempotently(id, 'user.created', () => undefined, { store })).toEqual(PROCESSED)
  })
})

describeWithRedis('once per message, in Redis', (url) => {
  const redis = new Redis(url)
  const prefix = `${name}:`
  afterAll(async () => {
    const keys = await redis.keys(`${prefix}*`)
    if (keys.length > 0) await redis.del(...keys)
    redis.disconnect()
  })
  storeContract('under keys', () => redisStore(redis, { prefix }))

  it('runs the handler again once the lease of a dead process is over', async () => {
    const store = redisStore(redis, { prefix, leaseSeconds: 0.3 })
    const id = newId()
    // As a process leaves it that died in the middle.
    await redis.set(prefix + id, 'somebody', 'PX', 300)
    const startedAt = Date.now()
    expect(await processIdempotently(id, 'user.created', () => undefined, { store })).toEqual(PROCESSED)
    expect(Date.now() - startedAt).toBeGreaterThan(200)
  })

  it('keeps its lease while the handler works', async () => {
    const store = redisStore(redis, { prefix, leaseSeconds: 0.3 })
    const id = newId()
    const slow = processIdempotently(id, 'user.created', () => sleep(1_000), { store })
    await sleep(700)
    expect(await processIdempotently(id, 'user.created', () => undefined, { store, waitSeconds: 0 })).toEqual(
      IN_PROGRESS,
    )
    expect(await slow).toEqual(PROCESSED)
  })
})
