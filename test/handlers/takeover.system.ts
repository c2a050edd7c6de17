/**
 * The order of two events of a resource when the worker of the later one is killed, at each of the moments at which it has
 * something to say to the database: before that is sent, and after it was heard and before the answer.
 */

import { sql } from 'kysely'
import { expect, it, vi } from 'vitest'
import { type ClerkSync, createClerkSync, type HandlerContext, type HandlerOptions } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const [EARLIER, LATER] = [1_000_000_000_000, 1_000_000_001_000]
/** More than a worker says for two runs. */
const MOST_MOMENTS = 80

interface Kind {
  readonly title: string
  readonly options: HandlerOptions
  readonly usesTransaction?: boolean
  readonly failsFirst?: boolean
  /** Whether the earlier event comes while the later one is handled, instead of after the kill. */
  readonly comesMeanwhile?: boolean
}

const KINDS: readonly Kind[] = [
  { title: 'writes in its transaction', options: {}, usesTransaction: true },
  { title: 'writes elsewhere', options: {} },
  {
    title: 'writes, while the earlier event comes',
    options: {},
    usesTransaction: true,
    comesMeanwhile: true,
  },
  { title: 'fails and is to be tried again', options: { retries: Array(20).fill(0) }, failsFirst: true },
  { title: 'may be called once only', options: { retries: 0 } },
]

/** The worker says something for the so-manieth time. */
interface Moment {
  readonly serial: number
  readonly isHeard: boolean
}

interface Call {
  readonly worker: 'victim' | 'survivor'
  readonly resource: string
  readonly at: number
}

describeWithPostgres('the order of two events whose later one loses its worker, where the handler', (url) => {
  const cases = KINDS.map((kind) => ({ kind, title: kind.title, database: postgresDatabase(url) }))

  it.concurrent.for(cases)('$title', async ({ kind, database }) => {
    const { schema } = await database.location()
    const stage = new Stage(url, schema, kind, await database.open())
    await stage.open()
    for (const isHeard of [true, false]) {
      let serial = 1
      while (await stage.play({ serial, isHeard })) expect(++serial).toBeLessThan(MOST_MOMENTS)
      expect(serial).toBeGreaterThan(8)
    }
  })
})

class Stage {
  readonly #url: URL
  readonly #schema: string
  readonly #kind: Kind
  /** Also takes the deliveries. */
  readonly #survivor: ClerkSync
  readonly #calls: Call[] = []

  constructor(url: string, schema: string, kind: Kind, survivor: ClerkSync) {
    this.#url = new URL(url)
    this.#schema = schema
    this.#kind = kind
    this.#survivor = survivor
  }

  async open(): Promise<void> {
    await sql`create table ${this.#table('effects')} (nr serial, resource text, at bigint)`.execute(
      this.#survivor.database,
    )
    this.#register(this.#survivor, 'survivor', () => true)
  }

  /** @returns whether the worker got as far as to be killed */
  async play(moment: Moment): Promise<boolean> {
    const resource = `user_takeover_${moment.isHeard ? 'heard' : 'lost'}${moment.serial}`
    await deliver(this.#survivor, userAt(resource, LATER))
    const isKilled = await this.#workUntil(resource, moment)
    const [later, earlier] = await this.#statusesOf(resource)
    if (earlier === undefined) await deliver(this.#survivor, userAt(resource, EARLIER))
    await this.#takeOver(resource)
    await this.#check(resource, isOver(later))
    return isKilled
  }

  async #check(resource: string, hadEnded: boolean): Promise<void> {
    const { usesTransaction, comesMeanwhile, options } = this.#kind
    if (usesTransaction)
      expect(await this.#effectsOf(resource)).toEqual(hadEnded ? [LATER, EARLIER] : [EARLIER, LATER])
    if (!comesMeanwhile) expect(this.#count(resource, EARLIER)).toBe(1)
    if (options.retries === 0) return this.#checkCalledOnce(resource)
    // What the victim had not ended begins anew, behind the earlier one.
    const ofSurvivor = this.#calls.filter((call) => call.resource === resource && call.worker === 'survivor')
    if (!hadEnded) expect(ofSurvivor.map(({ at }) => at)).toEqual([EARLIER, LATER])
  }

  /** Never twice. If the process ends after it has noted the call and before it makes it, people are told: the run is dead. */
  async #checkCalledOnce(resource: string): Promise<void> {
    const calls = this.#count(resource, LATER)
    expect(calls).toBeLessThanOrEqual(1)
    if (calls === 0) expect((await this.#statusesOf(resource))[0]).toBe('dead')
  }

  #register(sync: ClerkSync, worker: Call['worker'], isAlive: () => boolean): void {
    const { options, usesTransaction, failsFirst, comesMeanwhile } = this.#kind
    const handle = async ({ event, tx }: HandlerContext<'user.updated'>) => {
      if (!isAlive()) return
      const [resource, at] = [event.data.id, Number(event.timestamp)]
      this.#calls.push({ worker, resource, at })
      const isFirst = worker === 'victim' && at === LATER && this.#count(resource, at) === 1
      if (usesTransaction)
        await tx.query(`insert into "${this.#schema}".effects (resource, at) values ($1, $2)`, [resource, at])
      if (comesMeanwhile && isFirst) await deliver(this.#survivor, userAt(resource, EARLIER))
      if (failsFirst && isFirst) throw new Error('not yet')
    }
    sync.on('user.updated', handle, { ...options, name: 'in-line', ordered: true })
  }

  /** Lets a worker run until the moment has come, or until it has nothing more to do. */
  async #workUntil(resource: string, { serial, isHeard }: Moment): Promise<boolean> {
    const proxy = await TcpProxy.to(this.#url)
    const database = new URL(proxy.url(this.#url))
    database.searchParams.set('application_name', resource)
    const victim = createClerkSync({
      signingSecret: SECRET,
      log: silent,
      database: database.href,
      schema: this.#schema,
    })
    const killed = Promise.withResolvers<true>()
    let [said, isAlive] = [0, true]
    this.#register(victim, 'victim', () => isAlive)
    proxy.cutAfter = () => {
      if (++said !== serial) return false
      isAlive = false
      if (isHeard) queueMicrotask(() => proxy.kill())
      else proxy.kill()
      killed.resolve(true)
      return isHeard
    }
    const isKilled = await Promise.race([killed.promise, victim.drain().then(() => false)])
    isAlive = false
    proxy.kill()
    void victim.close({ handlerGraceMs: 0 }).catch(() => undefined)
    await this.#untilGone(resource)
    await proxy.close()
    return isKilled
  }

  /** Postgres has come to the end of what the victim sent. */
  async #untilGone(applicationName: string): Promise<void> {
    const count = async () => {
      const { rows } =
        await sql`select from pg_stat_activity where application_name = ${applicationName}`.execute(
          this.#survivor.database,
        )
      return rows.length
    }
    await vi.waitFor(async () => expect(await count()).toBe(0), { timeout: 10_000, interval: 5 })
  }

  async #takeOver(resource: string): Promise<void> {
    await sql`update ${this.#table('handler_workers')} set lease_until = '-infinity'`.execute(
      this.#survivor.database,
    )
    const areOver = async () => {
      await this.#survivor.drain()
      expect((await this.#statusesOf(resource)).every(isOver)).toBe(true)
    }
    await vi.waitFor(areOver, { timeout: 20_000, interval: 5 })
  }

  /** Of the runs of both events, the later one first. */
  async #statusesOf(resource: string): Promise<string[]> {
    const { rows } = await sql<{ status: string }>`
      select run.status from ${this.#table('handler_runs')} as run
      join ${this.#table('events')} as event on event.id = run.event_id
      where event.resource_id = ${resource} order by event.occurred_at desc`.execute(this.#survivor.database)
    return rows.map(({ status }) => status)
  }

  async #effectsOf(resource: string): Promise<number[]> {
    const { rows } = await sql<{ at: string }>`
      select at from ${this.#table('effects')} where resource = ${resource} order by nr`.execute(
      this.#survivor.database,
    )
    return rows.map(({ at }) => Number(at))
  }

  #count(resource: string, at: number): number {
    return this.#calls.filter((call) => call.resource === resource && call.at === at).length
  }

  #table(name: string) {
    return sql.id(this.#schema, name)
  }
}

function userAt(id: string, at: number) {
  return eventOf('user.updated', { id, created_at: at, updated_at: at }, at)
}

function isOver(status: string | undefined): boolean {
  return status === 'succeeded' || status === 'dead'
}
