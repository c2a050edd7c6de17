/**
 * From every released version to this one, under load: its package fills a database and goes on receiving while this
 * version migrates it and takes over. From the last one also back.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { CliProcess, runCli } from '../support/cli.ts'
import { describeWithPostgres, dropSchema } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { describeAbsence, type Installed, install, readReleases } from './releases.ts'

const releases = await readReleases()
const absence = describeAbsence(releases)
const last = releases.found.at(-1)

if (absence !== undefined) {
  const isFault = releases.missing.length > 0 && Boolean(process.env.CI)
  describe(`upgrades: ${absence}`, () => {
    it.runIf(isFault)('needs the releases in CI', () => expect(absence).toBeUndefined())
    it.skipIf(isFault)('has nothing to do', () => console.log(`upgrades: ${absence}`))
  })
}

if (releases.found.length > 0) describeWithPostgres('an upgrade', describeUpgrades)

function describeUpgrades(url: string): void {
  let current: Installed
  beforeAll(async () => {
    current = await install()
  })
  afterAll(() => current?.remove())

  describe.each(releases.found)('from $version', (release) => {
    let old: Installed
    beforeAll(async () => {
      old = await install(release)
    })
    afterAll(() => old?.remove())

    it('under load loses nothing and refuses nothing', async () => {
      const scene = await createScene(url, release.version)
      await scene.migrate(old)
      const before = await scene.start(old)
      const traffic = new Traffic([before.url])
      await traffic.until(200)

      await scene.migrate(current)
      // Of more than a version before it may be told to stop.
      const goesOn = release === last
      if (goesOn) expect(await readiness(before)).toBe(200)
      const after = await scene.start(current)
      traffic.targets = goesOn ? [before.url, after.url] : [after.url]
      await traffic.until(400)
      traffic.targets = [after.url]
      await before.stop()
      await traffic.until(600)

      if (goesOn) {
        const back = await scene.start(old)
        traffic.targets = [back.url]
        await after.stop()
        await traffic.until(800)
        expect(await readiness(back)).toBe(200)
      }
      await traffic.stop()
      if (goesOn) expect([...traffic.statuses]).toEqual([200])
      await scene.expectAll(traffic.acknowledged)
    })
  })
}

const HANDLERS = `
import { defineConfig, on } from 'clerk-sync'
const write = ({ tx, eventId }) => tx.query('insert into public.NAME values ($1)', [eventId])
export default defineConfig({ handlers: [on('user.created', write, { name: 'effect' })] })
`

async function createScene(url: string, version: string) {
  const name = `upgrade_${version.replaceAll(/\W/g, '_')}_${process.pid}`
  const folders = new Map<Installed, string>()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create table public.${name} (event_id text primary key)`)
  onTestFinished(async () => {
    await client.query(`drop table public.${name}`)
    await client.end()
    await dropSchema(url, name)
    for (const folder of folders.values()) await rm(folder, { recursive: true, force: true })
  })
  const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: name, PORT: '0' }
  /** Beside the installed package, so that the configuration finds it. */
  const folderOf = async (version: Installed) => {
    const app = join(dirname(version.main), '../../../..')
    const folder = folders.get(version) ?? (await mkdtemp(join(app, 'run-')))
    folders.set(version, folder)
    await writeFile(join(folder, 'clerk-sync.config.mjs'), HANDLERS.replace('NAME', name))
    return folder
  }
  return {
    migrate: async (version: Installed) => {
      const ended = await runCli(['migrate'], { cwd: await folderOf(version), env, main: version.main })
      expect(ended, ended.stderr).toMatchObject({ code: 0 })
    },
    start: async (version: Installed) => {
      const args = ['start', '--no-migrate', '--no-dashboard']
      const server = new CliProcess(args, { cwd: await folderOf(version), env, main: version.main })
      onTestFinished(async () => void (await server.stop('SIGKILL')))
      await server.until(/ready/)
      return server
    },
    /** Each is recorded, applied, and handled once. */
    expectAll: async (acknowledged: readonly string[]) => {
      const idsIn = async (text: string) =>
        (await client.query<{ id: string }>(text)).rows.map(({ id }) => id)
      const expected = [...acknowledged].sort()
      expect((await idsIn(`select id from ${name}.events where outcome = 'applied'`)).sort()).toEqual(
        expected,
      )
      await vi.waitFor(
        async () =>
          expect((await idsIn(`select event_id as id from public.${name}`)).sort()).toEqual(expected),
        { timeout: 60_000, interval: 200 },
      )
      const users = expected.map((id) => id.replace('msg', 'user'))
      expect((await idsIn(`select id from ${name}.users`)).sort()).toEqual(users.sort())
    },
  }
}

async function readiness(server: CliProcess): Promise<number> {
  return (await fetch(new URL('/readyz', server.url))).status
}

/** Deliveries to some of the servers, each sent until it is acknowledged. */
class Traffic {
  targets: readonly string[]
  readonly acknowledged: string[] = []
  readonly statuses = new Set<number>()
  #isOver = false
  readonly #sending: Promise<unknown>

  constructor(targets: readonly string[]) {
    this.targets = targets
    this.#sending = Promise.all(['a', 'b', 'c', 'd'].map((name) => this.#send(name)))
  }

  async until(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.acknowledged.length).toBeGreaterThanOrEqual(count), {
      timeout: 60_000,
    })
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#sending
  }

  async #send(name: string): Promise<void> {
    for (let nr = 0; !this.#isOver; nr++) {
      const id = `msg_${name}${nr}`
      const event = eventOf('user.created', { id: id.replace('msg', 'user') })
      while ((await this.#post(sign(event, { id }), nr)) !== 200);
      this.acknowledged.push(id)
    }
  }

  /** A connection that a stopping server closes is no refusal: it has answered what it took. */
  async #post({ headers, body }: ReturnType<typeof sign>, nr: number): Promise<number> {
    const target = this.targets[nr % this.targets.length] as string
    const response = await fetch(target, { method: 'POST', headers, body }).catch(() => undefined)
    await response?.arrayBuffer()
    if (response) this.statuses.add(response.status)
    return response?.status ?? 0
  }
}
