/**
 * Microseconds per verification, on one core and without a server. `npm run verify`
 *
 * The libraries take turns, several rounds. Everyone gets what it gets in production: the raw bytes and the headers, or
 * a web `Request`, and gives the parsed event.
 */

import { createHmac } from 'node:crypto'
import { verifyWebhook } from '@clerk/backend/webhooks'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { createVerifier } from '../src/index.ts'
import { newUsers } from './load/events.ts'
import { newId } from './load/ids.ts'
import { SECRET } from './load/requests.ts'
import { describeMachine, type Machine, machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { type Aim, aimLine, progress, type Spread, spread, table } from './report.ts'

interface Contender {
  readonly title: string
  /** Verifies prepared requests, one after the other. */
  readonly run: (requests: readonly Prepared[]) => Promise<void>
}

/** One request in all the forms in which contenders want it; a `Request` can be read only once. */
interface Prepared {
  readonly body: Buffer
  readonly headers: Record<string, string>
  readonly request: Request
}

/** Prepared requests are few at a time, so that they stay in the cache as a fresh one would be. */
const BATCH = 200
const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64')

const verify = createVerifier({ signingSecret: SECRET })
const svix = new SvixWebhook(SECRET)
const standard = new StandardWebhook(SECRET)

const FLOOR = 'HMAC and JSON.parse alone, from bytes'
const OURS = 'clerk-sync, from bytes'
/** What the checks of headers, time, size and shape may cost beside the floor. */
const AT_MOST = 1.3

const CONTENDERS: readonly Contender[] = [
  {
    title: FLOOR,
    run: async (requests) => {
      for (const { body, headers } of requests) {
        if (signatureOf(headers, body) !== headers['svix-signature']) throw new Error('wrong signature')
        expectEvent(JSON.parse(body.toString()))
      }
    },
  },
  {
    title: 'clerk-sync, from a Request',
    run: async (requests) => {
      for (const { request } of requests)
        expectEvent((await verify(await request.bytes(), request.headers)).event)
    },
  },
  {
    title: '@clerk/backend verifyWebhook, from a Request',
    run: async (requests) => {
      for (const { request } of requests) expectEvent(await verifyWebhook(request, { signingSecret: SECRET }))
    },
  },
  {
    title: OURS,
    run: async (requests) => {
      for (const { body, headers } of requests) expectEvent((await verify(body, headers)).event)
    },
  },
  {
    title: 'svix and JSON.parse, from bytes',
    run: async (requests) => {
      for (const { body, headers } of requests) {
        svix.verify(body, headers)
        expectEvent(JSON.parse(body.toString()))
      }
    },
  },
  {
    title: 'standardwebhooks, from bytes',
    run: async (requests) => {
      for (const { body, headers } of requests) expectEvent(standard.verify(body, headers))
    },
  },
]

/** What is measured must have worked. */
function expectEvent(event: unknown): void {
  if ((event as { type?: string } | null)?.type !== 'user.created')
    throw new Error('verification gave no event')
}

function prepare(): Prepared[] {
  const users = newUsers()
  return Array.from({ length: BATCH }, () => {
    const body = Buffer.from(users.next().value.body)
    const headers = signatureHeaders(body)
    return {
      body,
      headers,
      request: new Request('http://localhost/webhooks', { method: 'POST', body, headers }),
    }
  })
}

function signatureOf(headers: Readonly<Record<string, string>>, body: Buffer): string {
  const hmac = createHmac('sha256', KEY).update(`${headers['svix-id']}.${headers['svix-timestamp']}.`)
  return `v1,${hmac.update(body).digest('base64')}`
}

/** Under both families of names, because not everyone knows both. */
function signatureHeaders(body: Buffer): Record<string, string> {
  const id = newId('msg')
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = signatureOf({ 'svix-id': id, 'svix-timestamp': timestamp }, body)
  const values = { id, timestamp, signature }
  const named = (family: string) =>
    Object.entries(values).map(([part, value]) => [`${family}-${part}`, value])
  return Object.fromEntries([...named('svix'), ...named('webhook')])
}

/** @returns microseconds per verification */
async function measure({ run }: Contender, seconds: number): Promise<number> {
  let verified = 0
  let elapsed = 0
  while (elapsed < seconds * 1000) {
    const requests = prepare()
    const startedAt = performance.now()
    await run(requests)
    elapsed += performance.now() - startedAt
    verified += requests.length
  }
  return (elapsed * 1000) / verified
}

interface Report {
  readonly machine: Machine
  readonly options: Options
  readonly results: readonly { readonly title: string; readonly microseconds: Spread }[]
  readonly aims: readonly Aim[]
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 1, rounds: 5 })
  const times = new Map<Contender, number[]>(CONTENDERS.map((contender) => [contender, []]))
  for (let round = 0; round <= options.rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round}`)
    for (const [contender, measured] of times) measured.push(await measure(contender, options.seconds))
  }
  const results = [...times].map(([{ title }, [, ...counted]]) => ({ title, microseconds: spread(counted) }))
  const medianOf = (title: string) =>
    results.find((result) => result.title === title)?.microseconds.median ?? Number.NaN
  const aims = [{ name: `${OURS} / ${FLOOR}`, value: medianOf(OURS) / medianOf(FLOOR), atMost: AT_MOST }]
  const report = { machine: describeMachine(), options, results, aims }
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

function toText({ machine, options, results, aims }: Report): string {
  const method = `${options.rounds} rounds of ${options.seconds} s each, median (min–max), a user.created event`
  const rows = results.map(({ title, microseconds: { median, min, max } }) => [
    title,
    `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`,
  ])
  return [...machineLines(machine), method, '', table(['', 'µs each'], rows), '', ...aims.map(aimLine)].join(
    '\n',
  )
}

await main()
