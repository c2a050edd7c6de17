import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Webhook } from 'svix'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Attempt,
  createSigningSecret,
  createSimulatedSvix,
  type DeliveryReport,
  type MessageReport,
  type Signer,
  type SimulatedSvixOptions,
  sampleEvent,
} from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { retryDelay } from '../../src/testing/simulated-svix/schedule.ts'
import { SECRET } from '../support/databases.ts'

const SCHEDULE_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]

interface Arrival {
  readonly at: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly path: string | undefined
  /** How many requests were being answered. */
  readonly together: number
}

type Answer = (response: ServerResponse, arrival: Arrival, index: number) => void

/** A webhook route that answers as it is told. */
async function startReceiver(answer: Answer) {
  const arrivals: Arrival[] = []
  let together = 0
  let connections = 0
  const server = createServer(async (request, response) => {
    response.once('close', () => together--)
    const arrival = {
      at: performance.now(),
      headers: request.headers,
      path: request.url,
      together: ++together,
    }
    const complete = { ...arrival, body: await text(request) }
    arrivals.push(complete)
    answer(response, complete, arrivals.length - 1)
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { arrivals, url: `http://127.0.0.1:${port}/webhooks`, connections: () => connections }
}

const accept: Answer = (response) => response.writeHead(200).end('{"ok":true}')

function answerStatus(status: number, headers = {}): Answer {
  return (response) => response.writeHead(status, headers).end('no')
}

/** Answers the first requests differently. */
function first(answers: readonly Answer[]): Answer {
  return (response, arrival, index) => (answers[index] ?? accept)(response, arrival, index)
}

/** As the svix package sees it. */
const verified: Answer = (response, { headers, body }) => {
  try {
    new Webhook(SECRET).verify(body, headers as Record<string, string>)
    response.writeHead(204).end()
  } catch {
    response.writeHead(400).end()
  }
}

const users = (count: number) => Array.from({ length: count }, () => sampleEvent('user.created'))

async function deliver(options: Partial<SimulatedSvixOptions>, count = 1): Promise<DeliveryReport> {
  await using svix = createSimulatedSvix({ secret: SECRET, ...options })
  svix.send(users(count))
  await svix.settled()
  return svix.report()
}

function statuses({ attempts }: MessageReport = { attempts: [] } as never) {
  return attempts.map(({ status }) => status)
}

describe('a simulated Svix', () => {
  it('delivers what the svix package verifies', async () => {
    const { url, arrivals } = await startReceiver(verified)
    const { messages, totals } = await deliver({ url }, 50)
    expect(totals).toMatchObject({ messages: 50, accepted: 50, exhausted: 0, attempts: 50 })
    expect(messages.every(({ state }) => state === 'accepted')).toBe(true)
    expect(new Set(arrivals.map(({ headers }) => headers['svix-id']))).toEqual(
      new Set(messages.map(({ svixId }) => svixId)),
    )
    expect(arrivals[0]).toMatchObject({
      headers: { 'content-type': 'application/json', 'user-agent': expect.stringMatching(/^Svix-Webhooks/) },
      body: JSON.stringify(sampleEvent('user.created')),
    })
  })

  it('signs with the real svix package where it is told to', async () => {
    const { url } = await startReceiver(verified)
    const sign: Signer = ({ secret, svixId, at, body }) =>
      new Webhook(secret).sign(svixId, at, Buffer.from(body).toString())
    const { totals } = await deliver({ url, sign, forgeries: 1 }, 10)
    expect(totals).toMatchObject({ accepted: 10, forgeries: 10, forgeriesRefused: 10 })
  })

  it('signs with both secrets while one replaces the other', async () => {
    const { url, arrivals } = await startReceiver(verified)
    const { totals } = await deliver({ url, secret: [createSigningSecret(), SECRET] })
    expect(totals.accepted).toBe(1)
    expect(String(arrivals[0]?.headers['svix-signature']).split(' ')).toHaveLength(2)
  })

  it('signs each attempt anew, with the same id', async () => {
    const { url, arrivals } = await startReceiver(first([answerStatus(500)]))
    // The least that Svix waits is then 1.2 s, so that the seconds differ.
    const { messages } = await deliver({ url, timeScale: 0.3 })
    expect(statuses(messages[0])).toEqual([500, 200])
    const [before, after] = arrivals.map(({ headers }) => headers)
    expect(after?.['svix-id']).toBe(before?.['svix-id'])
    expect(Number(after?.['svix-timestamp'])).toBeGreaterThan(Number(before?.['svix-timestamp']))
    for (const { headers, body } of arrivals) {
      expect(() => new Webhook(SECRET).verify(body, headers as Record<string, string>)).not.toThrow()
    }
  })

  it('hands the requests to a function instead of a server', async () => {
    const ids: string[] = []
    const { messages } = await deliver({
      deliver: async ({ svixId, headers, body }) => {
        new Webhook(SECRET).verify(Buffer.from(body).toString(), headers)
        ids.push(svixId)
        return 202
      },
    })
    expect(messages).toMatchObject([{ svixId: ids[0], type: 'user.created', attempts: [{ status: 202 }] }])
  })

  it('refuses to start without a destination or with a malformed secret', () => {
    expect(() => createSimulatedSvix({ secret: SECRET })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    )
    expect(() => createSimulatedSvix({ secret: 'whsec_test', url: 'http://localhost' })).toThrow(
      expect.objectContaining({ code: 'secret_too_short' }),
    )
  })
})

describe('its retries', () => {
  it('follow the schedule of Svix until it gives up', async () => {
    const { url, arrivals } = await startReceiver(answerStatus(503))
    const timeScale = 1e-5
    const { messages, totals } = await deliver({ url, timeScale })
    expect(statuses(messages[0])).toEqual(Array(8).fill(503))
    expect(totals).toMatchObject({ accepted: 0, exhausted: 1, attempts: 8 })
    const waits = arrivals.slice(1).map(({ at }, index) => at - (arrivals[index] as Arrival).at)
    for (const [index, wait] of waits.entries()) {
      const scheduled = (SCHEDULE_SECONDS[index] as number) * 1_000 * timeScale
      expect(wait).toBeGreaterThanOrEqual(scheduled * 0.8 - 2)
      expect(wait).toBeLessThan(scheduled * 1.2 + 1_000)
    }
  })

  it('spread by a fifth around the schedule, and wait a minute for who is overloaded', () => {
    const random = new Random(1)
    for (const [index, seconds] of SCHEDULE_SECONDS.entries()) {
      const delays = Array.from({ length: 500 }, () => retryDelay(index + 1, false, random) as number)
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(seconds * 800)
      expect(Math.min(...delays)).toBeLessThan(seconds * 850)
      expect(Math.max(...delays)).toBeLessThanOrEqual(seconds * 1_200)
      expect(Math.max(...delays)).toBeGreaterThan(seconds * 1_150)
    }
    expect(retryDelay(1, true, random)).toBe(60_000)
    expect(retryDelay(2, true, random)).toBeGreaterThan(60_000)
    expect(retryDelay(8, false, random)).toBeUndefined()
  })

  it.each([
    ['a client error', answerStatus(400), 400],
    ['a server error', answerStatus(500), 500],
    ['a reset connection', ((response) => response.socket?.destroy()) as Answer, 'no_answer'],
    ['too many requests', answerStatus(429), 429],
  ])('come after %s', async (_, answer, status) => {
    const { url } = await startReceiver(first([answer]))
    const { messages } = await deliver({ url, timeScale: 0.001 })
    expect(statuses(messages[0])).toEqual([status, 200])
  })

  it('come after a redirect, which is not followed', async () => {
    const { url, arrivals } = await startReceiver(first([answerStatus(308, { location: '/elsewhere' })]))
    const { messages } = await deliver({ url, timeScale: 0.001 })
    expect(statuses(messages[0])).toEqual([308, 200])
    expect(arrivals.map(({ path }) => path)).toEqual(['/webhooks', '/webhooks'])
  })

  it('come after a timeout, and later than after a quick refusal', async () => {
    const never: Answer = () => undefined
    const { url } = await startReceiver(first([never]))
    const { messages } = await deliver({ url, timeScale: 0.002, timeoutMs: 500 })
    expect(statuses(messages[0])).toEqual(['timeout', 200])
    const [before, after] = (messages[0]?.attempts ?? []) as [Attempt, Attempt]
    // By the sender's clock: on a busy machine a request arrives any time after it was sent. 500 ms of waiting for the answer,
    // then a scaled minute; after a refusal it would be 5 s, here 10 ms.
    expect(after.at.getTime() - before.at.getTime()).toBeGreaterThan(610)
  })

  it('tell why there was no answer', async () => {
    const broken = new TypeError('a mistake in the test')
    const answers = [() => Promise.reject(broken), () => Promise.resolve(200)]
    const { messages } = await deliver({
      timeScale: 0.001,
      deliver: () => (answers.shift() as () => Promise<number>)(),
    })
    expect(messages[0]?.attempts[0]).toMatchObject({ status: 'no_answer', error: broken })
    expect(messages[0]?.state).toBe('accepted')
  })
})

describe('its bad habits', () => {
  it('repeat accepted messages later, each with its id', async () => {
    const { url, arrivals } = await startReceiver(verified)
    const { messages, totals } = await deliver({ url, duplicates: 1, delayMs: 20 }, 30)
    expect(totals).toMatchObject({ messages: 30, accepted: 30, attempts: 60, duplicates: 30 })
    const deliveries = Map.groupBy(arrivals, ({ headers }) => headers['svix-id'])
    expect([...deliveries.values()].map(({ length }) => length)).toEqual(Array(30).fill(2))
    expect(messages[0]?.attempts.map(({ kind }) => kind)).toEqual(['delivery', 'duplicate'])
  })

  it('hold messages back so that others overtake them', async () => {
    const { url, arrivals } = await startReceiver(accept)
    const { messages, totals } = await deliver({ url, reorder: 0.3, delayMs: 50, concurrency: 1 }, 100)
    expect(totals.accepted).toBe(100)
    expect(totals.reordered).toBeGreaterThan(10)
    expect(totals.reordered).toBeLessThan(60)
    const order = arrivals.map(({ headers }) => headers['svix-id'])
    expect(order).not.toEqual(messages.map(({ svixId }) => svixId))
  })

  it('are off by default: the order is kept, nothing comes twice', async () => {
    const { url, arrivals } = await startReceiver(accept)
    const { messages, totals } = await deliver({ url, concurrency: 1 }, 50)
    expect(totals).toMatchObject({ attempts: 50, duplicates: 0, reordered: 0, forgeries: 0 })
    expect(arrivals.map(({ headers }) => headers['svix-id'])).toEqual(messages.map(({ svixId }) => svixId))
  })

  it('forge copies, which are refused and not repeated', async () => {
    const { url, arrivals } = await startReceiver(verified)
    const { totals } = await deliver({ url, forgeries: 1 }, 40)
    expect(totals).toMatchObject({ accepted: 40, attempts: 40, forgeries: 40, forgeriesRefused: 40 })
    expect(arrivals).toHaveLength(80)
    const bodies = new Set(arrivals.map(({ body }) => body))
    expect(bodies.size).toBe(2)
  })

  it('tell when a forgery was not refused', async () => {
    const { url } = await startReceiver(accept)
    const { totals } = await deliver({ url, forgeries: 1 }, 5)
    expect(totals).toMatchObject({ forgeries: 5, forgeriesRefused: 0 })
  })

  it('follow from the seed', async () => {
    const kinds = async (seed: number) => {
      const deliverAll = async () => 200
      const { messages } = await deliver(
        { deliver: deliverAll, seed, duplicates: 0.5, forgeries: 0.5, delayMs: 1 },
        50,
      )
      return messages.map(({ attempts }) => attempts.map(({ kind }) => kind).sort())
    }
    expect(await kinds(1)).toEqual(await kinds(1))
    expect(await kinds(1)).not.toEqual(await kinds(2))
  })
})

describe('its connections', () => {
  it('are few and used again', async () => {
    const slowly: Answer = (response) => setTimeout(() => response.writeHead(200).end(), 5)
    const { url, arrivals, connections } = await startReceiver(slowly)
    await deliver({ url, concurrency: 4 }, 60)
    expect(Math.max(...arrivals.map(({ together }) => together))).toBe(4)
    // fetch may open another while the last answer is still being read.
    expect(connections()).toBeLessThanOrEqual(8)
  })

  it('end when it is stopped, with what waits and what is under way', async () => {
    const { url, arrivals } = await startReceiver(first([answerStatus(500), () => undefined]))
    const svix = createSimulatedSvix({ url, secret: SECRET, concurrency: 1 })
    svix.send(users(3))
    const settled = svix.settled()
    await expect.poll(() => arrivals.length).toBe(2)
    await svix.stop()
    await settled
    const { messages, totals } = svix.report()
    expect(messages.map(statuses)).toEqual([[500], ['stopped'], []])
    expect(totals).toMatchObject({ accepted: 0, exhausted: 0 })
  })

  it('can take more after they were stopped', async () => {
    const { url } = await startReceiver(accept)
    const svix = createSimulatedSvix({ url, secret: SECRET })
    await svix.stop()
    svix.send(users(1))
    await svix.settled()
    expect(svix.report().totals.accepted).toBe(1)
  })

  it('keep no process alive', async () => {
    const { url } = await startReceiver(first([accept, () => undefined, answerStatus(500)]))
    const script = `
      import { createSimulatedSvix, sampleEvent } from '${new URL('../../src/testing/index.ts', import.meta.url)}'
      const svix = createSimulatedSvix({ url: '${url}', secret: '${SECRET}', concurrency: 1 })
      svix.send(sampleEvent('user.created'))
      await svix.settled()
      svix.send([sampleEvent('user.created'), sampleEvent('user.created')])
      await new Promise((resolve) => setTimeout(resolve, 200))
      await svix.stop()
      console.log('stopped at', performance.now())
      process.on('exit', () => console.log('ended at', performance.now()))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    const [stopped, ended] = (stdout.match(/\d+\.\d+/g) ?? []).map(Number) as [number, number]
    // Idle connections are kept for 4 seconds, and the answer would have timed out after 15.
    expect(ended - stopped).toBeLessThan(1_000)
  })
})
