import { expect, it, onTestFinished, vi } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { startServer, WEBHOOK_PATHS } from '../../src/server/server.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { createSimulator } from '../../src/simulation/simulator.ts'
import { ask, refusal } from '../dashboard/client.ts'
import { over, serve } from '../dashboard/served.ts'
import { describeEachDatabase, SECRET } from '../support/databases.ts'

const PATIENT = { timeout: 20_000, interval: 30 }
const secret = [SECRET]

describeEachDatabase('a server that was given a simulator', (database) => {
  async function start() {
    const sync = await database.open()
    const simulation = await Simulation.start({ seed: 5, rate: 20 })
    const dashboard = createDashboardHandler(sync, { simulator: createSimulator(sync, secret, simulation) })
    const server = await startServer({ sync, port: 0, dashboard })
    const address = `http://127.0.0.1:${server.port}`
    const leaving = new AbortController()
    const running = simulation.run({ url: `${address}${WEBHOOK_PATHS[1]}`, secret }, leaving.signal)
    onTestFinished(async () => {
      leaving.abort()
      await running
      await simulation.close()
      await server.stop()
    })
    const count = async () => (await sync.database.selectFrom('events').select('id').execute()).length
    return { sync, handler: over(address), count }
  }

  it('starts and stops what happens, sets how often, and plays its scenarios', async () => {
    const { sync, handler, count } = await start()
    const { types, traffic, scenarios } = await ask(handler, 'GET simulator')
    expect(types.map(({ type }) => type)).toContain('user.created')
    expect(traffic).toEqual({ isRunning: true, perSecond: 50 })
    await vi.waitFor(async () => expect(await count()).toBeGreaterThan(25), PATIENT)

    const slowed = { isRunning: false, perSecond: 5 }
    expect(await ask(handler, 'POST simulator/traffic', { body: slowed })).toEqual(slowed)
    expect((await ask(handler, 'GET simulator')).traffic).toEqual(slowed)
    let before = -1
    // What was on its way still comes.
    await vi.waitFor(
      async () => {
        const now = await count()
        const isQuiet = now === before
        before = now
        expect(isQuiet).toBe(true)
      },
      { timeout: 20_000, interval: 600 },
    )
    for (const { name } of scenarios) {
      const played = await ask(handler, 'POST simulator/scenarios/{scenario}', { path: { scenario: name } })
      expect([name, played.events >= 8]).toEqual([name, true])
    }
    const events = await sync.database.selectFrom('events').select(['deliveries', 'outcome']).execute()
    expect(events.length).toBeGreaterThan(before + 100)
    expect(events.filter(({ deliveries }) => deliveries > 1).length).toBeGreaterThanOrEqual(20)
    expect(events.filter(({ outcome }) => outcome === 'stale').length).toBeGreaterThan(0)
    await vi.waitFor(async () => {
      const { groups } = await ask(handler, 'GET rejected')
      expect(groups.find(({ code }) => code === 'signature_mismatch')?.count).toBeGreaterThanOrEqual(10)
    }, PATIENT)
    expect(await ask(handler, 'POST simulator/traffic', { body: { isRunning: true } })).toEqual({
      isRunning: true,
      perSecond: 5,
    })
    const quiet = await count()
    await vi.waitFor(async () => expect(await count()).toBeGreaterThan(quiet), PATIENT)
  })

  it('refuses what it does not have', async () => {
    const { handler } = await start()
    const unknown = { path: { scenario: 'apocalypse' } }
    expect(await refusal(handler, 'POST simulator/scenarios/{scenario}', unknown)).toEqual([
      400,
      'request_invalid',
    ])
    expect(await refusal(handler, 'POST simulator/traffic', { body: { perSecond: 1e6 } })).toEqual([
      400,
      'request_invalid',
    ])
    const unsendable = [
      { type: 'user.imagined', data: {} },
      { type: 'user.created', data: 'Ada' },
      { type: 'user.created', data: { type: 'user.deleted', data: {} } },
    ]
    for (const body of unsendable) {
      expect(await refusal(handler, 'POST simulator', { body })).toEqual([400, 'request_invalid'])
    }
    const sync = await database.open()
    const real = await serve(sync, { simulator: createSimulator(sync, secret) })
    expect(await ask(real, 'GET simulator')).toMatchObject({ traffic: null, scenarios: [] })
    expect(await refusal(real, 'POST simulator/traffic', {})).toEqual([501, 'feature_unavailable'])
    const viewer = await serve(sync, {
      simulator: createSimulator(sync, secret),
      authorize: () => ({ name: 'ada', role: 'viewer' }),
    })
    expect(await refusal(viewer, 'GET simulator')).toEqual([403, 'role_insufficient'])
  })
})
