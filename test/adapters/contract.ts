/** What every adapter must do, over real connections to a real server of its framework. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { Webhook } from 'svix'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IN_MEMORY } from '../../src/database/embedded.ts'
import { type ClerkSync, createClerkSync, type Logger } from '../../src/index.ts'
import { embeddedDatabase, SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { RawConnection, rawDelivery } from '../support/sockets.ts'
import { postRaw } from '../webhook/raw-request.ts'
import { bodyOf, type Vector } from '../webhook/vectors.ts'
import { expectVerdict, forget, Receivers, refusalBody, sentence, startable } from '../webhook/verdicts.ts'

/** A server that listens. */
export interface Served {
  readonly port: number
  /** @default "/webhook" */
  readonly path?: string
  stop(): Promise<unknown>
}

/** Starts a server of the framework with the adapter's route for all methods. */
export type Serve = (sync: ClerkSync) => Promise<Served>

export interface Adapter {
  readonly serve: Serve
  /** Whether the framework reads the whole body before it calls the route, and never calls it for a broken one. */
  readonly readsBodies?: boolean
  /** Whether something in front makes one header out of several of one name. */
  readonly joinsHeaders?: boolean
  /**
   * Whether the server takes a request before it has answered the one before on the same connection.
   * @default true
   */
  readonly takesPipelines?: boolean
  /**
   * Whether the sync reads the connection itself, and so can end it.
   * @default true
   */
  readonly timesBodies?: boolean
  /** Whether the platform itself refuses JSON that says it is not in Unicode. */
  readonly refusesCharsets?: boolean
  /** Whether the framework itself answers the methods that the route does not name. */
  readonly answersMethods?: boolean
  /** The same app with something in front that leaves no exact bytes, and the part of the error that says what to move. */
  readonly lost: Readonly<Record<string, readonly [serve: Serve, advice: RegExp]>>
  /** The same app with something in front that reads the body, but leaves its exact bytes. */
  readonly kept?: Readonly<Record<string, Serve>>
}

const PATH = '/webhook'
const MAX_BODY_BYTES = 2 * 1024 * 1024

/** One for all suites of a file: an embedded database takes seconds to start. */
export const database = embeddedDatabase()

export function describeAdapter(name: string, adapter: Adapter): void {
  describe(`${name}: the vectors`, () => describeVectors(adapter))
  describe(`${name}: deliveries`, () => describeDeliveries(adapter))
  describe(`${name}: a body that was read before`, () => describeReadBefore(adapter))
}

function describeVectors({ serve, joinsHeaders = false }: Adapter): void {
  const receivers = new Receivers(database)
  let current: ClerkSync
  const server = served(
    serve,
    passingOn(() => current),
  )

  beforeAll(async () => forget(await database.open()))

  const arrives = ({ headers }: Vector) =>
    !joinsHeaders || new Set(headers.map(([name]) => name)).size === headers.length
  const onTheWire = startable.filter((vector) => vector.route !== 'direct' && arrives(vector))
  it.each(onTheWire.map((vector) => [sentence(vector), vector] as const))('%s', async (_, vector) => {
    current = await receivers.at(vector.now, vector.secrets)
    const { port, path } = server()
    await expectVerdict(current, vector, await postRaw(port, vector.headers, bodyOf(vector), path))
  })
}

/** Valid, but not what `JSON.stringify` would make of them. */
const AWKWARD = {
  'is pretty-printed': (json: string) => JSON.stringify(JSON.parse(json), null, '\t'),
  'escapes letters': (json: string) => json.replace('Ada', '\\u0041d\\u00e9'),
  'writes numbers in other ways': (json: string) =>
    json.replace('"banned"', '"x":[1.0,1e3,-0,12345678901234567890],"banned"'),
  'repeats a key': (json: string) => json.replace('"banned"', '"x":1,"x":2,"banned"'),
  'orders keys like numbers': (json: string) => json.replace('"banned"', '"b":1,"2":2,"banned"'),
  'has emoji, and halves of some': (json: string) => json.replace('Ada', '👩🏽‍🚀 \\uD83D'),
  'escapes slashes': (json: string) => json.replaceAll('/', '\\/'),
  'has line separators': (json: string) => json.replace('Ada', '\\u2028\u2029'),
  'ends with white space': (json: string) => `\r\n ${json} \r\n`,
} as const

const CONTENT_TYPES = [
  ['application/json'],
  ['application/json; charset=utf-8'],
  ['application/json; charset=latin1'],
  ['application/x-www-form-urlencoded'],
  ['multipart/form-data'],
  ['text/plain'],
  ['not a type'],
  [undefined],
] as const

function describeDeliveries({
  serve,
  readsBodies = false,
  answersMethods = false,
  takesPipelines = true,
  timesBodies = true,
  refusesCharsets = false,
}: Adapter): void {
  let sync: ClerkSync
  const server = served(
    serve,
    passingOn(() => sync),
  )
  const log = recordingLog()
  beforeAll(async () => {
    sync = await database.open({ maxBodyBytes: MAX_BODY_BYTES, log })
  })

  const post = (headers: Record<string, string>, body: string | Buffer) =>
    postRaw(server().port, Object.entries(headers), Buffer.from(body), server().path)
  const event = () => JSON.stringify(eventOf('user.created', { first_name: 'Ada', banned: false }))
  const storedBody = (id: string) =>
    sync.database.selectFrom('event_bodies').select('body').where('event_id', '=', id).executeTakeFirst()
  const eventCount = async () => (await sync.database.selectFrom('events').select('id').execute()).length
  const connection = () => new RawConnection(server().port).opened()

  it.each(Object.entries(AWKWARD))('takes a body that %s, to the byte', async (_, change) => {
    const json = change(event())
    const { id, headers, body } = sign(json)
    expect(await post({ 'content-type': 'application/json', ...headers }, body)).toMatchObject({
      status: 200,
    })
    expect(Buffer.from((await storedBody(id))?.body ?? '').toString()).toBe(json)
    expect(JSON.stringify(JSON.parse(json))).not.toBe(json)
  })

  it('takes a body with a byte order mark to the byte, and parks it', async () => {
    const body = Buffer.concat([Buffer.from('\uFEFF'), Buffer.from(event())])
    const at = new Date()
    const signature = new Webhook(SECRET).sign('msg_bom', at, body)
    const headers = {
      'svix-id': 'msg_bom',
      'svix-timestamp': `${Math.floor(+at / 1000)}`,
      'svix-signature': signature,
    }
    expect(await post({ 'content-type': 'application/json', ...headers }, body)).toMatchObject({
      status: 200,
    })
    expect(body.equals((await storedBody('msg_bom'))?.body as Buffer)).toBe(true)
  })

  const takesType = ([type]: readonly (string | undefined)[]) => !refusesCharsets || !type?.includes('latin1')
  it.each(CONTENT_TYPES.filter(takesType))('does not mind the content type %j', async (type) => {
    const { headers, body } = sign(event())
    const answer = await post({ ...(type !== undefined && { 'content-type': type }), ...headers }, body)
    expect(answer).toEqual({ status: 200, body: '{"ok":true}' })
  })

  it('ignores a query string, such as the one that opens a protected preview', async () => {
    const { headers, body } = sign(event())
    const query = '?x-vercel-protection-bypass=abc&x-vercel-set-bypass-cookie=true'
    const path = `${server().path ?? PATH}${query}`
    const answer = await postRaw(server().port, Object.entries(headers), Buffer.from(body), path)
    expect(answer).toEqual({ status: 200, body: '{"ok":true}' })
  })

  it('takes a body in chunks, without a length', async () => {
    const { headers, body } = sign(event())
    const half = Math.floor(body.length / 2)
    const socket = await connection()
    socket.send(head({ ...headers, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }))
    socket.send(chunk(body.slice(0, half)))
    await pause(50)
    socket.send(`${chunk(body.slice(half))}${chunk('')}`)
    expect(await socket.until('{"ok":true}')).toMatch(/^HTTP\/1.1 200 /)
    socket.close()
  })

  it('takes deliveries that follow each other on one connection', async () => {
    const path = server().path ?? PATH
    const [first, second, last] = [sign(event()), sign(event()), sign(event())]
    const ending = { ...last, headers: { ...last.headers, connection: 'close' } }
    const socket = await connection()
    for (const each of [first, second, ending]) {
      socket.send(rawDelivery(each, { path }))
      if (!takesPipelines) await pause(300)
    }
    expect((await socket.untilClosed()).match(/\{"ok":true\}/g)).toHaveLength(3)
  })

  it('refuses a body that is declared too large', async () => {
    const tooLarge = sign('x'.repeat(MAX_BODY_BYTES + 1))
    expect(await post(tooLarge.headers, tooLarge.body)).toEqual({
      status: 413,
      body: refusalBody('body_too_large'),
    })
  })

  it('refuses a body that turns out too large, and takes the next', async () => {
    const socket = await connection()
    socket.send(head({ ...sign(event()).headers, 'transfer-encoding': 'chunked' }))
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 0x10000) socket.send(chunk('x'.repeat(0x10000)))
    socket.send(chunk(''))
    expect(await socket.until('"body_too_large"')).toMatch(/^HTTP\/1.1 413 /)
    socket.close()
    const next = sign(event())
    expect(await post(next.headers, next.body)).toMatchObject({ status: 200 })
  })

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const response = await fetch(`http://127.0.0.1:${server().port}${server().path ?? PATH}`, { method })
    expect(await response.text()).not.toBe('{"ok":true}')
    if (answersMethods) expect(response.status).toBeLessThan(500)
    else expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it.each([{ 'content-length': '0' }, {}])('refuses a delivery without a body: %j', async (length) => {
    const socket = await connection()
    socket.send(head({ ...sign('').headers, ...length }))
    expect(await socket.until('"body_empty"')).toMatch(/^HTTP\/1.1 400 /)
    socket.close()
  })

  it('survives a sender that leaves in the middle of a body, and stores nothing of it', async () => {
    const before = await eventCount()
    const told = log.told('body_incomplete')
    const signed = sign(event())
    const socket = connect(server().port, '127.0.0.1').on('error', () => undefined)
    socket.write(rawDelivery(signed, { path: server().path ?? PATH, sent: 100 }))
    await pause(100)
    socket.resetAndDestroy()
    await once(socket, 'close')
    if (!readsBodies) await told
    expect(await eventCount()).toBe(before)
    expect(await post(signed.headers, signed.body)).toMatchObject({ status: 200 })
  })

  const endsStalledBodies = () =>
    it('ends a body that stalls, after ten seconds', async () => {
      const signed = sign(event())
      const stalled = await connection()
      stalled.send(rawDelivery(signed, { path: server().path ?? PATH, sent: 100 }))
      const dribbling = await connection()
      dribbling.send(rawDelivery(sign('x'.repeat(100_000)), { path: server().path ?? PATH, sent: 100 }))
      const dribble = setInterval(() => dribbling.send('x'), 100)
      const startedAt = performance.now()
      const answers = await Promise.all([stalled, dribbling].map((socket) => socket.until('"body_timeout"')))
      clearInterval(dribble)
      expect(answers).toEqual([
        expect.stringMatching(/^HTTP\/1.1 408 /),
        expect.stringMatching(/^HTTP\/1.1 408 /),
      ])
      expect(performance.now() - startedAt).toBeGreaterThan(9_000)
      await Promise.all([stalled, dribbling].map((socket) => socket.untilClosed()))
      expect(await post(signed.headers, signed.body)).toMatchObject({ status: 200 })
    })
  // Where the framework reads the body first, its server's own limit holds.
  if (timesBodies && !readsBodies) endsStalledBodies()

  const head = (headers: Record<string, string>) => {
    const lines = Object.entries({ host: 'test', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    return `POST ${server().path ?? PATH} HTTP/1.1\r\n${lines.join('')}\r\n`
  }
}

function describeReadBefore({ lost, kept = {} }: Adapter): void {
  const deliverTo = async (serve: Serve, sync: ClerkSync) => {
    const server = await serve(sync)
    const { headers, body } = sign(JSON.stringify(eventOf('user.created'), null, 2))
    const all = Object.entries({ 'content-type': 'application/json', ...headers })
    return postRaw(server.port, all, Buffer.from(body), server.path).finally(() => server.stop())
  }

  it.each(Object.entries(lost))(
    'is refused after %s, and the log says which line to move',
    async (_, [serve, advice]) => {
      const log = recordingLog()
      const told = log.told('body_already_parsed')
      const sync = createClerkSync({ signingSecret: SECRET, database: IN_MEMORY, log })
      const answer = await deliverTo(serve, sync)
      expect(answer).toEqual({ status: 400, body: refusalBody('body_already_parsed') })
      expect(await told).toMatchObject({ message: expect.stringMatching(advice) })
    },
  )

  it.each(Object.entries(kept))('is taken after %s', async (_, serve) => {
    expect(await deliverTo(serve, await database.open())).toEqual({ status: 200, body: '{"ok":true}' })
  })
}

/** A sync that is chosen per request. */
function passingOn(sync: () => ClerkSync): ClerkSync {
  return {
    handle: (request) => sync().handle(request),
    fetch: (request) => sync().fetch(request),
  } as ClerkSync
}

/** Serves for the tests of a suite. */
function served(serve: Serve, sync: ClerkSync): () => Served {
  let server: Served
  beforeAll(async () => {
    server = await serve(sync)
  })
  afterAll(() => server.stop())
  return () => server
}

/** A log that can be waited for. */
function recordingLog(): Logger & { told(code: string): Promise<object> } {
  const waiting = new Map<string, (fields: object) => void>()
  const tell = (fields: object) => waiting.get((fields as { code?: string }).code ?? '')?.(fields)
  return {
    debug() {},
    info() {},
    warn: tell,
    error: tell,
    told: (code) => new Promise((resolve) => waiting.set(code, resolve)),
  }
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
