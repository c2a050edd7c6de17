import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

describe('a database that was never there', () => {
  it('is answered with 503 at once, and named', async () => {
    const sync = createClerkSync({
      signingSecret: SECRET,
      database: 'postgres://postgres@127.0.0.1:1/none',
      log: silent,
    })
    const startedAt = performance.now()
    await expect(deliver(sync, eventOf('user.created'))).rejects.toMatchObject({
      code: 'database_unavailable',
      status: 503,
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await sync.close()
  })

  it('is answered with 503 by a route with handlers too', async () => {
    const sync = createClerkSync({
      signingSecret: SECRET,
      database: 'postgres://postgres@127.0.0.1:1/none',
      log: silent,
    })
    sync.on('user.created', () => undefined, { name: 'never' })
    await expect(deliver(sync, eventOf('user.created'))).rejects.toMatchObject({
      code: 'database_unavailable',
    })
    const { headers, body } = sign(eventOf('user.created'))
    const response = await sync.fetch(new Request('http://app.test', { method: 'POST', headers, body }))
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: 'database_unavailable' })
    await sync.close()
  })

  it('never gets to store what was not signed', async () => {
    const sync = createClerkSync({
      signingSecret: SECRET,
      database: 'postgres://postgres@127.0.0.1:1/none',
      log: silent,
    })
    const { headers } = sign(eventOf('user.created'))
    await expect(sync.receive('{}', headers)).rejects.toMatchObject({ code: 'signature_mismatch' })
    await sync.close()
  })
})

describeWithPostgres('a database that fails', (url) => {
  const target = new URL(url)
  const database = postgresDatabase(url)
  let proxy: TcpProxy
  let sync: ClerkSync

  beforeAll(async () => {
    await database.open()
    proxy = await TcpProxy.to(target)
    const { schema } = await database.location()
    sync = createClerkSync({ signingSecret: SECRET, database: proxy.url(target), schema, log: silent })
  })

  afterEach(() => {
    proxy.refuses = false
    proxy.isSilent = false
    proxy.delayMs = 0
    proxy.cutAfter = undefined
  })

  afterAll(async () => {
    proxy.cut()
    await sync.close()
    await proxy.close()
  })

  async function isRecorded(id: string): Promise<boolean> {
    const direct = await database.open()
    return (
      (await direct.database.selectFrom('events').select('id').where('id', '=', id).executeTakeFirst()) !==
      undefined
    )
  }

  /** What Svix does after a refusal: the same message again, until it is taken. */
  async function redeliver(id: string): Promise<string> {
    const event = eventOf('user.created', { id: `user_${id}` })
    for (const startedAt = performance.now(); ; ) {
      try {
        return (await deliver(sync, event, { id })).outcome
      } catch (error) {
        if (performance.now() - startedAt > 30_000) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  async function refusal(id: string): Promise<{ code: string; ms: number }> {
    const startedAt = performance.now()
    const error = await deliver(sync, eventOf('user.created', { id: `user_${id}` }), { id }).then(
      () => ({ code: 'taken' }),
      (caught) => caught,
    )
    return { code: error.code, ms: performance.now() - startedAt }
  }

  it.each(['refuses', 'isSilent'] as const)(
    'refuses within two seconds from the start, with handlers, while it %s, and recovers by itself',
    async (fault) => {
      const starting = createClerkSync({
        signingSecret: SECRET,
        database: proxy.url(new URL(url)),
        schema: sync.location.schema,
        log: silent,
      })
      starting.on('user.created', () => undefined, { name: 'starting' })
      proxy[fault] = true
      const event = eventOf('user.created', { id: `user_${fault}` })
      const startedAt = performance.now()
      await expect(deliver(starting, event)).rejects.toMatchObject({ code: 'database_unavailable' })
      expect(performance.now() - startedAt).toBeLessThan(2_500)
      proxy[fault] = false
      expect(await deliver(starting, event)).toMatchObject({ outcome: 'applied' })
      await starting.close()
    },
  )

  it('refuses within two seconds while connections are refused, and recovers by itself', async () => {
    expect(await redeliver('msg_before')).toBe('applied')
    proxy.refuses = true
    proxy.cut()
    const { code, ms } = await refusal('msg_refused')
    expect(code).toBe('database_unavailable')
    expect(ms).toBeLessThan(2_200)
    expect(await isRecorded('msg_refused')).toBe(false)
    proxy.refuses = false
    expect(await redeliver('msg_refused')).toBe('applied')
  })

  it('refuses while the database is silent long before Svix stops waiting, and recovers by itself', async () => {
    proxy.isSilent = true
    const refusals = await Promise.all(['msg_silent1', 'msg_silent2', 'msg_silent3'].map(refusal))
    for (const { code, ms } of refusals) {
      expect(code).toMatch(/database_(timeout|unavailable)/)
      expect(ms).toBeLessThan(8_000)
    }
    proxy.isSilent = false
    proxy.cut()
    expect(await redeliver('msg_silent1')).toMatch(/applied|duplicate/)
    expect(await isRecorded('msg_silent1')).toBe(true)
  })

  it('recovers by itself when nobody ever tells that its connections are dead', async () => {
    const ids = ['msg_dead1', 'msg_dead2', 'msg_dead3']
    // Each time another connection waits for an answer that never comes, until none is left.
    for (const id of ids) {
      await redeliver(`${id}_before`)
      proxy.isSilent = true
      expect((await refusal(id)).code).toBe('database_unavailable')
      proxy.isSilent = false
    }
    for (const id of ids) expect(await redeliver(id)).toMatch(/applied|duplicate/)
    await sync.check()
  })

  it('answers late, but answers, while the database is slow', async () => {
    proxy.delayMs = 700
    const outcome = await deliver(sync, eventOf('user.created', { id: 'user_msg_slow' }), { id: 'msg_slow' })
    expect(outcome).toMatchObject({ outcome: 'applied' })
    proxy.delayMs = 0
    const direct = await database.open()
    const rows = await direct.database
      .selectFrom('events')
      .select('outcome')
      .where('id', '=', 'msg_slow')
      .execute()
    expect(rows).toEqual([{ outcome: 'applied' }])
  })

  it('applies an event once when the answer to its commit is lost', async () => {
    proxy.cutAfter = (sent) => sent.toString('latin1').includes('commit')
    const { code } = await refusal('msg_unknown')
    expect(code).toBe('database_unavailable')
    proxy.cutAfter = undefined
    expect(await isRecorded('msg_unknown')).toBe(true)
    expect(await redeliver('msg_unknown')).toBe('duplicate')
  })

  it('loses nothing and doubles nothing while its connections are cut again and again', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `msg_cut${index}`)
    let cuts = 0
    const cutting = setInterval(() => (cuts++ < 25 ? proxy.cut() : clearInterval(cutting)), 90)
    const later = (index: number) => new Promise((resolve) => setTimeout(resolve, index * 7))
    const outcomes = await Promise.all(ids.map((id, index) => later(index).then(() => redeliver(id))))
    expect(cuts).toBeGreaterThan(20)
    expect(outcomes.every((outcome) => outcome === 'applied' || outcome === 'duplicate')).toBe(true)
    const direct = await database.open()
    const { count } = await direct.database
      .selectFrom('events')
      .select((q) => q.fn.countAll<string>().as('count'))
      .where('id', 'like', 'msg\\_cut%')
      .where('outcome', '=', 'applied')
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(300)
    const users = await direct.database
      .selectFrom('users')
      .select('id')
      .where('id', 'like', 'user\\_msg\\_cut%')
      .execute()
    expect(users).toHaveLength(300)
  })

  it('says that the tables are missing, and how to make them', async () => {
    const empty = createClerkSync({
      signingSecret: SECRET,
      database: url,
      schema: 'never_migrated',
      log: silent,
    })
    await expect(deliver(empty, eventOf('user.created'))).rejects.toMatchObject({
      code: 'database_outdated',
      status: 503,
      remedy: expect.stringContaining('clerk-sync migrate'),
    })
    await expect(empty.check()).rejects.toMatchObject({ code: 'database_outdated' })
    await empty.close()
  })

  it('is not to blame on slow queries of others: deliveries have connections of their own', async () => {
    const { schema } = await database.location()
    const busy = await database.open({ database: { connectionString: url, max: 2 }, schema })
    const slow = [1, 2].map(() => sql`select pg_sleep(2.5)`.execute(busy.database))
    expect(await deliver(busy, eventOf('user.created', { id: 'user_busy' }))).toMatchObject({
      outcome: 'applied',
    })
    await Promise.all(slow)
  })

  it('lets no statement run for ever: its connection is needed again', async () => {
    const direct = await database.open()
    const events = sql.id(direct.location.schema, 'events')
    const isLimited = sql`current_setting('statement_timeout') = '4s'`
    await sql`alter table ${events} add constraint limited check (${isLimited}) not valid`.execute(
      direct.database,
    )
    expect(await deliver(direct, eventOf('user.created', { id: 'user_limited' }))).toMatchObject({
      outcome: 'applied',
    })
    await sql`alter table ${events} drop constraint limited`.execute(direct.database)
  })

  it('refuses what does not fit into memory while a commit hangs', async () => {
    const { schema } = await database.location()
    const small = createClerkSync({
      signingSecret: SECRET,
      database: url,
      schema,
      maxQueuedBytes: 20_000,
      log: silent,
    })
    await small.check()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`begin; lock table "${schema}".events in exclusive mode`)
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        deliver(small, eventOf('user.created', { id: `user_full${index}` })),
      ),
    )
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'taken'))
    expect(new Set(codes)).toEqual(new Set(['overloaded', 'database_timeout']))
    await client.query('rollback')
    await client.end()
    await small.close()
  })
})
