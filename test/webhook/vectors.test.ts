import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createNodeHandler } from '../../src/adapters/node.ts'
import { type ClerkSync, createClerkSync, createVerifier } from '../../src/index.ts'
import { describeEachDatabase, silent } from '../support/databases.ts'
import { postRaw } from './raw-request.ts'
import {
  bodyOf,
  headersOf,
  PARK_REASONS,
  REFUSALS,
  type Sent,
  type Step,
  sequences,
  vectors,
} from './vectors.ts'
import {
  type Answer,
  expectVerdict,
  forget,
  Receivers,
  refusalBody,
  sentence,
  startable,
  stored,
  users,
  verifiedId,
} from './verdicts.ts'

type Way = (sync: ClerkSync, sent: Sent) => Promise<Answer>

/** A server whose route belongs to whichever sync is under test. */
class Route {
  readonly #server: Server
  #sync: ClerkSync | undefined

  constructor() {
    this.#server = createServer((request, response) =>
      createNodeHandler(this.#sync as ClerkSync)(request, response),
    )
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  post(sync: ClerkSync, sent: Sent): Promise<Answer> {
    this.#sync = sync
    return postRaw((this.#server.address() as AddressInfo).port, sent.headers, bodyOf(sent))
  }
}

const byHandle: Way = (sync, sent) =>
  sync.handle({ method: 'POST', headers: headersOf(sent), body: bodyOf(sent) })

const byFetch: Way = async (sync, sent) => {
  const request = new Request('https://test/webhook', {
    method: 'POST',
    headers: sent.headers as [string, string][],
    body: bodyOf(sent),
  })
  const response = await sync.fetch(request)
  return { status: response.status, body: await response.text() }
}

const unstartable = vectors.filter((vector) => vector.expect.verify === 'config_error')

/** Keys that a payload could have planted on every object. */
function expectNoPollution(): void {
  const plain: Record<string, unknown> = {}
  for (const key of ['isAdmin', 'polluted', 'id', 'type', 'data']) expect(plain[key]).toBeUndefined()
}

describe('verifying alone', () => {
  it.each(startable.map((vector) => [sentence(vector), vector] as const))('%s', async (_, vector) => {
    const { now, secrets, expect: expected } = vector
    const verify = createVerifier({ signingSecret: secrets, now: () => Math.round(now * 1000), log: silent })
    const verified = verify(bodyOf(vector), headersOf(vector))
    if (expected.verify === 'err') {
      await expect(verified).rejects.toMatchObject({ code: REFUSALS[expected.code], status: expected.http })
      return
    }
    const delivery = await verified
    expect(delivery.svixId).toBe(verifiedId(vector))
    expect(Buffer.from(delivery.rawBody).equals(bodyOf(vector))).toBe(true)
    const unusable = PARK_REASONS[expected.code]
    // A type that is not known is still an event: only the ledger knows the catalogue.
    if (unusable === undefined || unusable === 'unknown_type') expect(delivery.event).not.toBeNull()
    else expect(delivery).toMatchObject({ event: null, unusable })
  })

  it.each(unstartable.map((vector) => [sentence(vector), vector] as const))('%s', (_, vector) => {
    const code = REFUSALS[vector.expect.code]
    const options = { signingSecret: vector.secrets, log: silent, database: 'memory://' }
    expect(() => createVerifier(options)).toThrow(expect.objectContaining({ code, status: 500 }))
    expect(() => createClerkSync(options)).toThrow(expect.objectContaining({ code, status: 500 }))
  })

  afterEach(expectNoPollution)
})

describeEachDatabase('receiving', (database) => {
  const receivers = new Receivers(database)
  const route = new Route()
  beforeAll(() => route.start())
  afterAll(() => route.stop())
  afterEach(expectNoPollution)

  it.each(startable.map((vector) => [sentence(vector), vector] as const))('%s', async (_, vector) => {
    const sync = await receivers.at(vector.now, vector.secrets)
    const ways = vector.route === 'direct' ? [byHandle] : [byHandle, byFetch, route.post.bind(route)]
    for (const way of ways) await expectVerdict(sync, vector, await way(sync, vector))
  })
})

/** What a sequence must leave behind. */
interface Remains {
  /** By svix-id. */
  readonly deliveries: Readonly<Record<string, number>>
  readonly bodyConflict?: boolean
}

const FIRST = 'msg_2ySkvOIUpVXIxkdJyLkRXsAPrQ6'
const SECOND = 'msg_2ySkvOIUpVXIxkdJyLkRXsAPrQ7'

const REMAINS: Readonly<Record<string, Remains>> = {
  'seq/replay-inside-tolerance': { deliveries: { [FIRST]: 2 } },
  'seq/replay-outside-tolerance': { deliveries: { [FIRST]: 1 } },
  'seq/svix-retry': { deliveries: { [FIRST]: 2 } },
  // The row of the first delivery was removed in between.
  'seq/retry-after-prune': { deliveries: { [FIRST]: 1 } },
  'seq/same-id-other-body': { deliveries: { [FIRST]: 2 }, bodyConflict: true },
  'seq/other-id-same-body': { deliveries: { [FIRST]: 1, [SECOND]: 1 } },
  'seq/bad-then-good': { deliveries: { [FIRST]: 1 } },
  'seq/failed-store-then-retry': { deliveries: { [FIRST]: 1 } },
}

interface Taken {
  readonly status: number
  readonly outcome?: string
}

const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']
/** Nothing listens on the discard port. */
const REFUSING_DATABASE = 'postgres://postgres@127.0.0.1:9/test'

describeEachDatabase('receiving in sequence', (database) => {
  const receivers = new Receivers(database)
  const down = createClerkSync({
    signingSecret: SECRETS,
    database: REFUSING_DATABASE,
    now: () => 1_750_000_000_000,
    log: silent,
  })
  afterAll(() => down.close())

  const route = new Route()
  beforeAll(() => route.start())
  afterAll(() => route.stop())

  /** The function tells what became of a delivery, the server no more than whether it was taken. */
  const WAYS: Readonly<Record<string, (sync: ClerkSync, step: Step) => Promise<Taken>>> = {
    'the function': (sync, step) =>
      sync.receive(bodyOf(step), headersOf(step)).then(
        ({ outcome }) => ({ status: 200, outcome }),
        ({ status }) => ({ status, outcome: status === 503 ? 'retry-later' : 'drop' }),
      ),
    'a server': async (sync, step) => ({ status: (await route.post(sync, step)).status }),
  }

  const OUTCOMES: Readonly<Record<Step['expect']['disposition'], string>> = {
    process: 'applied',
    'process-or-stale': 'applied',
    duplicate: 'duplicate',
    drop: 'drop',
    'retry-later': 'retry-later',
  }

  const cases = Object.entries(WAYS).flatMap(([way, take]) =>
    sequences.map((sequence) => [`${sequence.title}, through ${way}`, take, sequence] as const),
  )

  it.each(cases)('%s', async (_, take, { id, steps }) => {
    await forget(await receivers.at(0, SECRETS))
    const rows: unknown[] = []
    for (const step of steps) {
      const sync = await receivers.at(step.now, SECRETS)
      if (id === 'seq/retry-after-prune') await sync.database.deleteFrom('events').execute()
      const { status, outcome } = await take(step.fault === 'db-down' ? down : sync, step)
      expect(status).toBe(step.expect.http)
      if (outcome !== undefined) expect(outcome).toBe(OUTCOMES[step.expect.disposition])
      rows.push((await users(sync))[0])
    }
    const sync = await receivers.at(0, SECRETS)
    const events = await stored(sync)
    const { deliveries, bodyConflict = false } = REMAINS[id] as Remains
    expect(Object.fromEntries(events.map((event) => [event.id, event.deliveries]))).toEqual(deliveries)
    expect(events.map((event) => event.body_conflict)).toEqual(events.map(() => bodyConflict))
    expect(rows.at(-1)).toMatchObject({ first_name: 'Example' })
    // Whatever came after the first one that was applied changed nothing, not even the time of writing.
    const written = rows.filter((row) => row !== undefined)
    expect(written).toEqual(written.map(() => written[0]))
  })

  it('refuses quickly while the database is down, and stores nothing', async () => {
    const step = sequences.find(({ id }) => id === 'seq/failed-store-then-retry')?.steps[0] as Step
    const startedAt = performance.now()
    const reply = await byHandle(down, step)
    expect(reply).toMatchObject({
      status: 503,
      body: refusalBody('database_unavailable'),
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})
