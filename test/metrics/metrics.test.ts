import { globSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import { type ClerkSync, createClerkSync, type Fact, type Observer, type Vitals } from '../../src/index.ts'
import { createMetrics, type Metrics } from '../../src/metrics/index.ts'
import { VitalsCache } from '../../src/metrics/vitals-cache.ts'
import { callCli } from '../support/cli.ts'
import { embeddedDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'
import { describeWithPrometheus, promtool } from '../support/prometheus.ts'

/** Values by name and labels, as in the text. */
async function valuesOf(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

const DOWN = 'postgres://nobody@127.0.0.1:1/nowhere'

/** A sync that tells only what a test tells. */
function stub(): { sync: ClerkSync; tell: Observer } {
  const observers = new Set<Observer>()
  const sync = Object.assign(createClerkSync({ signingSecret: SECRET, database: DOWN, log: silent }), {
    observe: (observer: Observer) => {
      observers.add(observer)
      return () => observers.delete(observer)
    },
  })
  onTestFinished(() => sync.close())
  return { sync, tell: (fact) => observers.forEach((each) => void each(fact)) }
}

const delivery = (type: string): Fact => ({
  kind: 'delivery',
  eventId: 'msg_1',
  type,
  resource: null,
  resourceId: null,
  outcome: 'parked',
  reason: 'unknown_type',
  changed: [],
  ms: 3,
})

describe('the metrics of a sync', () => {
  const database = embeddedDatabase()
  let sync: ClerkSync
  let metrics: Metrics

  beforeAll(async () => {
    sync = await database.open()
    sync.on(
      'user.created',
      () => {
        throw new Error('it always fails')
      },
      { name: 'failing', retries: 0 },
    )
    metrics = await createMetrics(sync)
    await sync.work()
    const created = sign(eventOf('user.created', { id: 'user_metrics' }))
    await sync.receive(created.body, created.headers)
    await sync.receive(created.body, created.headers)
    await deliver(sync, { ...eventOf('user.created'), type: 'nobody.knows' })
    await sync.handle({ method: 'POST', headers: created.headers, body: `${created.body} ` })
    await vi.waitFor(async () =>
      expect(
        (await valuesOf(metrics)).get('clerk_sync_handler_runs_total{handler="failing",ending="dead"}'),
      ).toBe(1),
    )
  })
  afterAll(() => metrics.close())

  it('count deliveries, refusals, commits and runs', async () => {
    const values = await valuesOf(metrics)
    expect(Object.fromEntries(values)).toMatchObject({
      'clerk_sync_deliveries_total{event_type="user.created",outcome="applied"}': 1,
      'clerk_sync_deliveries_total{event_type="user.created",outcome="duplicate"}': 1,
      'clerk_sync_deliveries_total{event_type="other",outcome="parked"}': 1,
      'clerk_sync_refusals_total{code="signature_mismatch"}': 1,
      'clerk_sync_refusals_total{code="database_unavailable"}': 0,
      clerk_sync_delivery_duration_seconds_count: 3,
      'clerk_sync_commit_duration_seconds_count{result="committed"}': 3,
      clerk_sync_commit_deliveries_sum: 3,
      clerk_sync_waiting_deliveries: 0,
      'clerk_sync_handler_duration_seconds_count{handler="failing"}': 1,
    })
  })

  it('read the rest from the database', async () => {
    await sleep(2_100)
    const values = await valuesOf(metrics)
    expect(Object.fromEntries(values)).toMatchObject({
      clerk_sync_database_up: 1,
      'clerk_sync_dead_runs{handler="failing"}': 1,
      clerk_sync_parked_events: 1,
      clerk_sync_failed_events: 0,
      clerk_sync_due_runs: 0,
      clerk_sync_due_runs_without_worker: 0,
      clerk_sync_workers: 1,
    })
    expect(values.get('clerk_sync_last_event_age_seconds')).toBeGreaterThan(0)
    expect(values.get('clerk_sync_event_part_bytes{part="event_bodies"}')).toBeGreaterThan(8_192)
    expect(values.get('clerk_sync_event_part_partitions{part="event_bodies"}')).toBe(1)
    expect(values.get('clerk_sync_oldest_body_age_seconds')).toBeGreaterThan(0)
    // No number is better than a wrong one.
    expect(values.has('clerk_sync_reconcile_drift_rows')).toBe(false)
    expect(values.has('clerk_sync_usual_event_gap_seconds')).toBe(false)
  })

  it('tell of the process, and what runs', async () => {
    const text = await metrics.text()
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m)
    expect(text).toMatch(
      /^clerk_sync_build_info\{version=".+",node="\d+.*",database="embedded",schema="clerk"\} 1$/m,
    )
  })

  it('answer scrapes, and nothing else', async () => {
    const ask = (init?: RequestInit) => metrics.fetch(new Request('http://localhost/metrics', init))
    const answer = await ask()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, metrics.contentType])
    expect(await answer.text()).toContain('clerk_sync_deliveries_total')
    expect((await ask({ method: 'POST' })).status).toBe(405)
  })

  it('ask for the token, if there is one', async () => {
    const guarded = await createMetrics(stub().sync, { token: 'very secret', timeoutMs: 1 })
    const ask = (authorization: string) =>
      guarded.fetch(new Request('http://localhost/metrics', { headers: { authorization } }))
    expect((await ask('Bearer wrong')).status).toBe(401)
    expect((await guarded.fetch(new Request('http://localhost/metrics'))).status).toBe(401)
    expect((await ask('Bearer very secret')).status).toBe(200)
  })

  it('show that the database is away, and answer all the same', async () => {
    const away = await createMetrics(stub().sync)
    const values = await valuesOf(away)
    expect(values.get('clerk_sync_database_up')).toBe(0)
    expect([...values.keys()].some((name) => name.startsWith('clerk_sync_due_runs'))).toBe(false)
  })

  it('stay as few as they are, however many unknown types come', async () => {
    const { sync: told, tell } = stub()
    const bounded = await createMetrics(told, { timeoutMs: 1 })
    tell(delivery('nobody.knows'))
    const before = (await valuesOf(bounded)).size
    for (let made = 0; made < 10_000; made++) tell(delivery(`unknown.type_${made}`))
    const after = await valuesOf(bounded)
    expect(after.size).toBe(before)
    expect(after.get('clerk_sync_deliveries_total{event_type="other",outcome="parked"}')).toBe(10_001)
  })

  it('count nothing more once they are closed', async () => {
    const { sync: told, tell } = stub()
    const closed = await createMetrics(told, { timeoutMs: 1 })
    closed.close()
    tell(delivery('user.created'))
    expect(await closed.text()).not.toContain('event_type="user.created"')
  })

  it.each(['deploy/grafana/clerk-sync.json', 'deploy/prometheus/alerts.yml'])(
    'are all that %s asks for',
    async (path) => {
      const names = new Set((await metrics.text()).match(/^# TYPE \w+/gm)?.map((line) => line.split(' ')[2]))
      const asked = readFileSync(path, 'utf8').match(/\b(?:clerk_sync|nodejs|process)_\w+/g) ?? []
      expect(asked.length).toBeGreaterThan(15)
      const unknown = asked.filter(
        (name) => !names.has(name) && !names.has(name.replace(/_(bucket|sum|count)$/, '')),
      )
      expect(unknown).toEqual([])
    },
  )
})

describe('the numbers of the database', () => {
  const vitals = { dueRuns: 1 } as Vitals

  it('are asked for once, however many want them', async () => {
    const read = vi.fn(async () => vitals)
    const cache = new VitalsCache(read)
    const readings = await Promise.all([cache.get(), cache.get(), cache.get()])
    expect(readings.map((each) => each.vitals)).toEqual([vitals, vitals, vitals])
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('of a database that hangs are not waited for, and not asked for again', async () => {
    const read = vi.fn(() => new Promise<Vitals>(() => undefined))
    const cache = new VitalsCache(read, 20)
    expect(await cache.get()).toMatchObject({ isUp: false, vitals: undefined })
    await sleep(2_050)
    expect(await cache.get()).toMatchObject({ isUp: false })
    expect(read).toHaveBeenCalledTimes(1)
  })
})

describeWithPrometheus('what Prometheus reads', () => {
  const database = embeddedDatabase()

  it('are names and help texts that its linter approves of', async () => {
    const metrics = await createMetrics(await database.open())
    onTestFinished(() => metrics.close())
    expect(await promtool(['check', 'metrics'], await metrics.text())).toBe('')
  })

  it('are rules that fire when they should, and not when they need not', async () => {
    expect(await promtool(['check', 'rules', 'deploy/prometheus/alerts.yml'])).toContain('SUCCESS')
    expect(await promtool(['test', 'rules', 'deploy/prometheus/alerts.test.yml'])).toContain('SUCCESS')
  })
})

describe('the alert rules', () => {
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yml', 'utf8')) as RuleFile
  const rules = groups.flatMap((group) => group.rules)

  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s has a test, and a runbook', (alert, rule) => {
    const tests = readFileSync('deploy/prometheus/alerts.test.yml', 'utf8')
    expect(tests).toContain(`${alert} fires`)
    expect(tests).toContain(`${alert} stays quiet`)
    const page = /\/blob\/main\/(docs\/runbooks\/[\w-]+\.md)$/.exec(rule.annotations.runbook_url ?? '')?.[1]
    expect(readFileSync(page as string, 'utf8')).toContain(alert)
  })

  it('have runbooks that name only commands and flags that exist', async () => {
    const pages = globSync('docs/runbooks/*.md').map((page) => readFileSync(page, 'utf8'))
    const written = pages.flatMap((text) => text.match(/(?<=`)clerk-sync [^`]+(?=`)/g) ?? [])
    const byCommand = Map.groupBy(
      written,
      (line) => /^clerk-sync ([a-z]+(?: [a-z]+)?)/.exec(line)?.[1] as string,
    )
    expect(byCommand.size).toBeGreaterThan(8)
    for (const [command, lines] of byCommand) {
      const { code, stdout } = await callCli([...command.split(' '), '--help'], { cwd: '.' })
      expect([command, code]).toEqual([command, 0])
      const flags = lines.flatMap((line) => line.match(/--[a-z-]+/g) ?? [])
      expect(flags.filter((flag) => !stdout.includes(flag))).toEqual([])
    }
  })

  it('leave no runbook without an alert', () => {
    const pages = globSync('docs/runbooks/*.md').filter((page) => !page.endsWith('README.md'))
    const urls = rules.map((rule) => rule.annotations.runbook_url ?? '')
    expect(pages.filter((page) => !urls.some((url) => url.endsWith(page)))).toEqual([])
  })
})

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly annotations: Record<string, string> }[]
  }[]
}
