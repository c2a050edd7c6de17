import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createNextHandler, POST } from '../../src/adapters/next.ts'
import { createClerkSync, on, sharedClerkSync, workInBackground } from '../../src/index.ts'
import { SECRET, silent } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { refusalBody } from '../webhook/verdicts.ts'

async function deliverTo(route: (request: Request) => Promise<Response>): Promise<[number, string]> {
  const { headers, body } = sign(eventOf('user.created'))
  const response = await route(new Request('https://test/webhook', { method: 'POST', headers, body }))
  return [response.status, await response.text()]
}

describe('the sync of the environment', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clerk-sync-'))
    vi.stubEnv('DATABASE_URL', folder)
  })
  afterEach(() => vi.restoreAllMocks())
  afterAll(async () => {
    await sharedClerkSync().close()
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  it('fails no build for want of a secret, but answers 503 and logs why', async () => {
    vi.stubEnv('CLERK_WEBHOOK_SIGNING_SECRET', undefined)
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    expect(await deliverTo(createNextHandler(() => createClerkSync()))).toEqual([
      503,
      refusalBody('not_configured'),
    ])
    expect(logged.mock.calls.flat().join()).toContain('"code":"secret_missing"')
  })

  it('is made once the configuration is right', async () => {
    vi.stubEnv('CLERK_WEBHOOK_SIGNING_SECRET', SECRET)
    vi.stubEnv('CLERK_SYNC_SCHEMA', 'x'.repeat(64))
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    expect(await deliverTo(POST)).toEqual([503, refusalBody('not_configured')])
    expect(logged.mock.calls.flat().join()).toContain('"code":"option_invalid"')
    vi.stubEnv('CLERK_SYNC_SCHEMA', undefined)
    expect(await deliverTo(POST)).toEqual([200, '{"ok":true}'])
    expect(await sharedClerkSync().database.selectFrom('users').select('id').execute()).toHaveLength(1)
  })

  it('is one per process, also when modules are loaded anew', async () => {
    vi.resetModules()
    const again = await import('../../src/index.ts')
    expect(again.sharedClerkSync).not.toBe(sharedClerkSync)
    expect(again.sharedClerkSync()).toBe(sharedClerkSync())
  })
})

describe('a sync of one’s own', () => {
  it('may be made by the first request, once', async () => {
    const make = vi.fn(() => createClerkSync({ signingSecret: SECRET, database: 'memory://', log: silent }))
    const route = createNextHandler(make)
    expect(make).not.toHaveBeenCalled()
    expect(await Promise.all([deliverTo(route), deliverTo(route)])).toEqual([
      [200, '{"ok":true}'],
      [200, '{"ok":true}'],
    ])
    expect(make).toHaveBeenCalledOnce()
    await make.mock.results[0]?.value.close()
  })
})

describe('working in the background', () => {
  it('begins once, however often a route says so, and runs the handlers', async () => {
    const handled = vi.fn()
    const options = { signingSecret: SECRET, database: 'memory://', log: silent }
    const sync = createClerkSync({ ...options, handlers: [on('user.created', handled, { name: 'welcome' })] })
    await sync.migrate()
    const work = vi.spyOn(sync, 'work')
    const route = (request: Request) => {
      workInBackground(sync)
      return sync.fetch(request)
    }
    expect(await Promise.all([deliverTo(route), deliverTo(route)])).toEqual([
      [200, '{"ok":true}'],
      [200, '{"ok":true}'],
    ])
    await expect.poll(() => handled.mock.calls.length, { timeout: 20_000 }).toBe(2)
    expect(work).toHaveBeenCalledOnce()
    await sync.close()
  })
})
