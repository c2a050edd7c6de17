/** A whole run with pino, at its most talkative: every line has its shape, and none of what Clerk told of people. */

import { Writable } from 'node:stream'
import { type DestinationStream, pino } from 'pino'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { logFacts } from '../../src/fact-log.ts'
import type { ClerkEvent, ClerkSync, Logger } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { scenes } from '../backfill/scenes.ts'
import { callCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'

const PATIENT = { timeout: 30_000, interval: 50 }

/** Values that nothing but these events holds. */
const PERSON = {
  first_name: 'Zebulonia',
  last_name: 'Quarkfeather',
  username: 'zebq_9000',
  image_url: 'https://img.example.com/zeb-portrait.png',
  external_id: 'payroll-77123',
  public_metadata: { nickname: 'Zebby-Zeb', shoe: 4711 },
  private_metadata: { note: 'owes us a cake' },
  unsafe_metadata: { diary: 'dear diary of zeb' },
}
const EMAIL = 'zebulonia.q@mail.example.com'
const PHONE = '+41795550199'
const CODE = '918273'
const SEEDED = [
  ...[PERSON.first_name, PERSON.last_name, PERSON.username, PERSON.image_url, PERSON.external_id],
  ...['Zebby-Zeb', '4711', 'owes us a cake', 'dear diary of zeb', EMAIL, PHONE, CODE],
  SECRET.slice('whsec_'.length),
]

function personEvent(type: 'user.created' | 'user.updated', id: string, at = Date.now()): ClerkEvent {
  const event = eventOf(type, { ...PERSON, id, created_at: at, updated_at: at }, at)
  const text = JSON.stringify(event)
    .replaceAll(/[\w.+-]+@[\w-]+\.[\w.]+/g, EMAIL)
    .replaceAll(/"phone_number":"[^"]*"/g, `"phone_number":"${PHONE}"`)
  return JSON.parse(text)
}

/** What pino writes, line by line. */
function talkative(): { log: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  const written: string[] = []
  const destination = new Writable({
    write: (chunk, _, done) => {
      written.push(String(chunk))
      done()
    },
  })
  const log = pino({ level: 'debug' }, destination as unknown as DestinationStream)
  const text = () => written.join('')
  return {
    log,
    text,
    lines: () =>
      text()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  }
}

describeWithPostgres('the log of a whole run', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()
  const { serve, open } = scenes(database)

  it('has pino’s shape, ids that belong together, and nothing about people', async () => {
    const { log, lines, text } = talkative()
    const clerk = createSimulatedClerk({ seed: 5 })
    for (let made = 0; made < 3; made++) clerk.act('createUser')
    const api = await serve(clerk)
    const sync = await open(api, { log })
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    let isBroken = true
    sync.on(
      'user.*',
      ({ event, row, log: own }) => {
        own.debug({ about: event.type }, 'called')
        if (isBroken)
          throw new Error(`Key (email)=(${EMAIL}) of ${row?.first_name}, ${JSON.stringify(event.data)}`)
      },
      { name: 'careless', retries: [0.05] },
    )
    await sync.work()

    const created = sign(personEvent('user.created', 'user_logged'))
    const request = { method: 'POST', headers: created.headers, body: created.body }
    expect((await sync.handle(request)).status).toBe(200)
    expect((await sync.handle(request)).status).toBe(200)
    expect(
      (await sync.handle({ ...request, body: created.body.replace('Zebulonia', 'Zebulonio') })).status,
    ).toBe(400)
    await deliver(
      sync,
      eventOf('email.created', {
        id: 'ema_logged',
        to_email_address: EMAIL,
        body: `Code ${CODE}`,
        data: { otp_code: CODE },
      }),
    )
    await deliver(sync, `{"type":"user.created","data":{"id":7,"first_name":"${PERSON.first_name}"}}`)
    await vi.waitFor(() => expect(lines().some(({ ending }) => ending === 'dead')).toBe(true), PATIENT)
    isBroken = false
    await sync.handlers.retry({ handlers: ['careless'] })
    await sync.replay({ outcomes: ['applied'] })
    const backfill = await sync.backfill()
    await editRow(sync)
    const reconcile = await sync.reconcile({ full: true })
    await vi.waitFor(() => expect(lines().some(({ ending }) => ending === 'handled')).toBe(true), PATIENT)
    const { schema } = await database.location()
    const env = {
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_SECRET_KEY: api.secretKey,
      CLERK_API_URL: api.url,
    }
    const doctor = await callCli(['doctor', '--json'], { cwd: await folder(), env })
    const status = await callCli(['status', '--json'], { cwd: await folder(), env })

    for (const line of lines())
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        msg: expect.any(String),
      })
    const about = (eventId: string) =>
      lines()
        .filter((line) => line.eventId === eventId)
        .map(({ msg }) => msg)
    expect(about(created.id)).toEqual(expect.arrayContaining(['delivery', 'called', 'handler']))
    const jobs = lines().filter(({ msg }) => msg === 'job')
    expect(jobs).toContainEqual(
      expect.objectContaining({ jobId: backfill.jobId, job: 'backfill', status: 'running' }),
    )
    expect(jobs).toContainEqual(
      expect.objectContaining({ jobId: backfill.jobId, job: 'backfill', status: 'complete' }),
    )
    expect(jobs).toContainEqual(expect.objectContaining({ jobId: reconcile.jobId, job: 'reconcile' }))
    const dead = lines().find(({ ending }) => ending === 'dead')
    expect(dead?.error).toContain('Key (email)=(')
    const everything = [text(), doctor.stdout, doctor.stderr, status.stdout, status.stderr].join('\n')
    expect(SEEDED.filter((value) => everything.includes(value))).toEqual([])
  }, 120_000)
})

/** So that the reconcile has something to repair, and to tell handlers of. */
async function editRow(sync: ClerkSync): Promise<void> {
  await sync.database
    .updateTable('users')
    .set({ first_name: 'Wrong' })
    .where('id', '<>', 'user_logged')
    .execute()
}

describe('the lines of an event', () => {
  const lines = (share: number, ids: readonly string[]) => {
    const written: string[] = []
    const note = (fields: object, message: string) =>
      written.push(`${message} ${(fields as { eventId: string }).eventId}`)
    const observe = logFacts({ debug: note, info: note, warn: note, error: note }, share)
    for (const eventId of ids) {
      const about = {
        type: 'user.created',
        resource: 'users',
        resourceId: 'user_1',
        reason: null,
        changed: [],
        ms: 1,
      }
      observe({ kind: 'delivery', eventId, outcome: 'applied', ...about })
      observe({ kind: 'run', handler: 'a', eventId, attempt: 1, ms: 1, ending: 'handled' })
    }
    return written
  }
  const ids = Array.from({ length: 2_000 }, (_, index) => `msg_${index.toString(36)}`)

  it('are all written by default, and none with a share of 0', () => {
    expect(lines(1, ids)).toHaveLength(4_000)
    expect(lines(0, ids)).toEqual([])
  })

  it('are written together or not at all', () => {
    const written = lines(0.25, ids)
    const delivered = written.filter((line) => line.startsWith('delivery')).map((line) => line.split(' ')[1])
    const handled = written.filter((line) => line.startsWith('handler')).map((line) => line.split(' ')[1])
    expect(handled).toEqual(delivered)
    expect(delivered.length).toBeGreaterThan(400)
    expect(delivered.length).toBeLessThan(600)
  })

  it('of what fails are always written', () => {
    const written: string[] = []
    const note = (_: object, message: string) => written.push(message)
    const observe = logFacts({ debug: note, info: note, warn: note, error: note }, 0)
    observe({
      kind: 'run',
      handler: 'a',
      eventId: 'msg_1',
      attempt: 1,
      ms: 1,
      ending: 'retrying',
      error: 'no',
    })
    observe({ kind: 'run', handler: 'a', eventId: 'msg_1', attempt: 2, ms: 1, ending: 'dead', error: 'no' })
    expect(written).toEqual(['handler', 'handler'])
  })

  it.each([-0.1, 1.1, Number.NaN, 'half'])('cannot be a share of %s', (logSample) => {
    expect(() => resolveConfig({ logSample: logSample as number }, {})).toThrow(
      'logSample must be a number from 0 to 1',
    )
  })
})
