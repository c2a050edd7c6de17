import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bodyOf, runbookOf } from '../../src/alerts/message.ts'
import { troublesOf } from '../../src/alerts/troubles.ts'
import type { AlertMessage, ClerkSync, Vitals } from '../../src/index.ts'
import { callCli, temporaryFolder } from '../support/cli.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const PATIENT = { timeout: 20_000, interval: 20 }

/** A receiver of alerts: what came, and what it answers. */
class Receiver {
  readonly bodies: unknown[] = []
  status = 200
  readonly #http: Server

  private constructor() {
    this.#http = createServer(async (request, response) => {
      this.bodies.push(await json(request))
      response.writeHead(this.status).end()
    })
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    await once(receiver.#http.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void receiver.#http.close())
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/services/secret-path`
  }

  get messages(): AlertMessage[] {
    return this.bodies as AlertMessage[]
  }
}

const EMAIL = 'ada.alert@example.com'

/** A sync whose handler fails as long as it is told to. */
function failing(sync: ClerkSync, isBroken: () => boolean): void {
  sync.on(
    'user.created',
    () => {
      if (isBroken()) throw new Error(`cannot mail ${EMAIL}`)
    },
    { name: 'syncCrm', retries: 0 },
  )
}

/** As if the trouble had ended so many minutes before it did. */
async function endedEarlier(sync: ClerkSync, minutes: number): Promise<void> {
  const ended_at = sql<Date>`ended_at - make_interval(mins => ${minutes})`
  await sync.database.updateTable('alerts').set({ ended_at }).execute()
}

describeEachDatabase('the alert hook', (database) => {
  it('tells once when trouble begins and once when it ends, from several processes, and nothing of people', async () => {
    const receiver = await Receiver.start()
    const alerts = { url: receiver.url, everyMs: 150 }
    let isBroken = true
    const syncs = [await database.open({ alerts }), await database.open({ alerts })]
    for (const sync of syncs) {
      onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
      failing(sync, () => isBroken)
      await sync.work()
    }
    const [sync] = syncs as [ClerkSync, ClerkSync]
    await deliver(sync, eventOf('user.created', { id: 'user_alerted' }))
    await vi.waitFor(() => expect(receiver.messages).toHaveLength(1), PATIENT)
    isBroken = false
    await sync.handlers.retry({ handlers: ['syncCrm'] })
    await vi.waitFor(() => expect(receiver.messages).toHaveLength(2), PATIENT)
    const common = { alert: 'dead_runs', summary: '1 handler run exhausted all retries (syncCrm: 1)' }
    expect(receiver.messages).toMatchObject([
      {
        ...common,
        state: 'begin',
        until: null,
        runbook: expect.stringContaining('docs/runbooks/dead-runs.md'),
      },
      { ...common, state: 'end', until: expect.any(String) },
    ])
    expect(JSON.stringify(receiver.bodies)).not.toMatch(/ada|user_alerted/)

    // The same again, a moment later: somebody was told of it just now.
    isBroken = true
    await deliver(sync, eventOf('user.created', { id: 'user_alertedAgain' }))
    await vi.waitFor(async () => expect((await sync.vitals()).deadRuns.size).toBe(1), PATIENT)
    await endedEarlier(sync, 9)
    await sync.maintain()
    expect(receiver.messages).toHaveLength(2)
    await endedEarlier(sync, 2)
    await vi.waitFor(() => expect(receiver.messages).toHaveLength(3), PATIENT)
  })
})

describeWithPostgres('an alert hook that fails', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  it('is tried again, and named by doctor and status, without its address', async () => {
    const receiver = await Receiver.start()
    receiver.status = 404
    const lines: string[] = []
    const note = (fields: object, message: string) => lines.push(JSON.stringify({ ...fields, message }))
    const log = { debug() {}, info() {}, warn: note, error() {} }
    const sync = await database.open({ alerts: { url: receiver.url, everyMs: 150 }, log })
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    failing(sync, () => true)
    await sync.work()
    await deliver(sync, eventOf('user.created', { id: 'user_unheard' }))
    await vi.waitFor(async () => {
      const [row] = await sync.database.selectFrom('alerts').selectAll().execute()
      expect(row).toMatchObject({ name: 'dead_runs', failure: 'it answered 404', begin_sent_at: null })
    }, PATIENT)
    expect(receiver.bodies).toHaveLength(3)
    const told = lines.filter((line) => line.includes('alert hook'))
    expect(told).toEqual([expect.stringContaining('it answered 404')])
    expect(lines.join()).not.toContain('secret-path')

    const { schema } = await database.location()
    const options = { cwd: await folder(), env: { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema } }
    const doctor = await callCli(['doctor', '--offline', '--only-problems'], options)
    expect(doctor.stdout).toContain('alert_hook_failing')
    expect(doctor.stdout).toContain('it answered 404')
    const status = await callCli(['status'], options)
    expect(status.stdout).toMatch(/alert hook\s+fails since .*: it answered 404/)

    receiver.status = 200
    await sync.database
      .updateTable('alerts')
      .set({ sending_until: new Date(0) })
      .execute()
    await vi.waitFor(async () => {
      const [row] = await sync.database.selectFrom('alerts').selectAll().execute()
      expect(row).toMatchObject({ failure: null, failed_at: null, begin_sent_at: expect.any(Date) })
    }, PATIENT)
  })
})

describe('what is trouble', () => {
  const FINE: Vitals = {
    lastEventAge: 5,
    usualGap: 30,
    lag: { p50: 0.1, p95: 0.2 },
    dueRuns: 0,
    oldestDueAge: null,
    dueRunsWithoutWorker: 0,
    workers: 1,
    deadRuns: new Map(),
    failedEvents: 0,
    parkedEvents: 9,
    refusals: new Map([['signature_mismatch', 3]]),
    reconcile: { age: 9, drift: 0, isComplete: true },
    jobs: [],
    retention: { maintenanceAge: 9, oldestBodyAge: 9, parts: new Map() },
  }

  it.each<[string, Partial<Vitals>, string[]]>([
    ['nothing', {}, []],
    ['a sync without any event', { lastEventAge: null, usualGap: null, reconcile: null }, []],
    ['dead runs', { deadRuns: new Map([['a', 1]]) }, ['dead_runs']],
    ['due runs that nobody runs', { dueRunsWithoutWorker: 4 }, ['no_worker']],
    ['a pause that is usual', { lastEventAge: 3_000, usualGap: 600 }, []],
    ['a pause that is not', { lastEventAge: 3_000, usualGap: 60 }, ['no_events']],
    ['a short pause', { lastEventAge: 800, usualGap: 1 }, []],
    ['drift', { reconcile: { age: 1, drift: 3, isComplete: true } }, ['drift']],
    ['events that failed', { failedEvents: 2 }, ['failed_events']],
    ['many refusals', { refusals: new Map([['signature_mismatch', 11]]) }, ['refused_requests']],
    ['a restart', { refusals: new Map([['shutting_down', 50]]) }, []],
  ])('%s', (_, change, names) => {
    expect(troublesOf({ ...FINE, ...change }).map(({ name }) => name)).toEqual(names)
  })
})

it('a message for Slack is one line that links to the runbook', () => {
  const message: AlertMessage = {
    alert: 'no_worker',
    state: 'begin',
    summary: '3 <runs> & more',
    since: '2026-11-27T12:00:00.000Z',
    until: null,
    schema: 'clerk',
    runbook: runbookOf('no_worker'),
  }
  const { text } = JSON.parse(bodyOf(message, 'slack'))
  expect(text).toContain('3 &lt;runs&gt; &amp; more, since 2026-11-27T12:00:00.000Z.')
  expect(text).toContain('docs/runbooks/no-worker.md|What to do>')
  expect(JSON.parse(bodyOf({ ...message, state: 'end', until: 'then' }, 'slack')).text).toContain(
    'over since then',
  )
})
