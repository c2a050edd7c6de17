import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { openEmbedded } from '../../src/database/embedded.ts'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { copyTemplate } from '../support/services.ts'
import { startProcess } from './processes.ts'

/** The tests share it, each with users of its own. */
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clerk-sync-embedded-'))
  await copyTemplate(inject('embeddedTemplate'), folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function open(database = folder): ClerkSync {
  const sync = createClerkSync({ signingSecret: SECRET, database, log: silent, commitTimeoutMs: 20_000 })
  onTestFinished(() => sync.close())
  return sync
}

const user = (id: string) => eventOf('user.created', { id })

/** The ids of the stored users that start so. */
async function usersOf(sync: ClerkSync, prefix: string): Promise<string[]> {
  const rows = await sync.database.selectFrom('users').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id).filter((id) => id.startsWith(prefix))
}

describe('an embedded database in several processes', () => {
  it('belongs to the first one until that ends: the second is told who has it', async () => {
    const first = startProcess({ command: 'hold', database: folder })
    expect(await first.next()).toEqual({ opened: first.child.pid })

    const second = startProcess({ command: 'hold', database: folder })
    const refusal = {
      code: 'embedded_locked',
      message: expect.stringContaining(`process ${first.child.pid} has`),
    }
    expect(await second.next()).toMatchObject(refusal)
    const sync = open()
    await expect(sync.migrate()).rejects.toMatchObject(refusal)
    await expect(sync.check()).rejects.toMatchObject(refusal)
    await expect(deliver(sync, user('user_1'))).rejects.toMatchObject(refusal)

    await first.end()
    expect(await deliver(sync, user('user_1'))).toMatchObject({ outcome: 'applied' })
  })

  it('is won by exactly one of ten that find a stale lock', async () => {
    await writeFile(
      join(folder, 'lock'),
      JSON.stringify({ token: 'x', pid: 2 ** 30, startTicks: null, host: '' }),
    )
    await writeFile(join(folder, 'lock'), 'left by a crash')
    const processes = Array.from({ length: 10 }, () => startProcess({ command: 'hold', database: folder }))
    const lines = await Promise.all(processes.map((each) => each.next()))
    const winners = lines.flatMap((line) => line?.opened ?? [])
    expect(winners).toHaveLength(1)
    const refused = lines.filter((line) => line?.code === 'embedded_locked')
    expect(refused).toHaveLength(9)
    for (const { message } of refused as { message: string }[])
      expect(message).toContain(`process ${winners[0]} has`)
  })

  it('keeps everything that was acknowledged when its process is killed, and goes on', async () => {
    const filling = startProcess({ command: 'fill', database: folder })
    let acknowledged = -1
    while (acknowledged < 60) acknowledged = (await filling.next())?.acknowledged as number
    await filling.kill()

    const sync = open()
    await sync.check()
    const stored = new Set(await usersOf(sync, 'user_'))
    const lost = Array.from({ length: acknowledged + 1 }, (_, number) => `user_${number}`).filter(
      (id) => !stored.has(id),
    )
    expect(lost).toEqual([])
    expect(await deliver(sync, user('user_after'))).toMatchObject({ outcome: 'applied' })
  })

  it('is not to be had without its package, and the error says what to install', async () => {
    const hook = `import { registerHooks } from 'node:module'
      registerHooks({ resolve(specifier, context, next) {
        if (specifier !== '@electric-sql/pglite') return next(specifier, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      } })`
    const nodeArguments = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
    const bare = startProcess({ command: 'migrate', database: folder, nodeArguments })
    expect(await bare.next()).toMatchObject({
      code: 'embedded_unavailable',
      remedy: expect.stringContaining('npm install @electric-sql/pglite'),
    })
    // The lock is free for whoever has the package.
    expect(await readdir(folder)).not.toContain('lock')
  })
})

describe('an embedded database in one process', () => {
  it('is shared by every sync on its folder, however the folder is written', async () => {
    const link = `${folder}-link`
    await symlink(folder, link)
    const syncs = [folder, `${folder}/`, relative(process.cwd(), folder), link].map((path) => open(path))
    await Promise.all(syncs.map((sync, index) => deliver(sync, user(`shared_${index}`))))
    for (const sync of syncs) expect(await usersOf(sync, 'shared')).toHaveLength(4)
    await rm(link)
  })

  it('goes on working for one sync when the other closes, even if that one closes twice', async () => {
    const [one, other] = [open(), open()]
    await deliver(one, user('twice_1'))
    await deliver(other, user('twice_2'))
    await one.close()
    await one.close()
    expect(await deliver(other, user('twice_3'))).toMatchObject({ outcome: 'applied' })
    expect(await usersOf(other, 'twice')).toEqual(['twice_1', 'twice_2', 'twice_3'])
  })

  it('gives up its lock with the last sync that closes', async () => {
    const [one, other] = [open(), open()]
    await Promise.all([one.check(), other.check()])
    await one.close()
    expect(await readdir(folder)).toContain('lock')
    await other.close()
    expect(await readdir(folder)).not.toContain('lock')
  })

  it('can be opened again while it is still being closed, however long that takes', async () => {
    const first = await openEmbedded(folder)
    const close = first.pglite.close
    first.pglite.close = () => sleep(200).then(close)
    const closing = first.close()
    const [second, third] = await Promise.all([openEmbedded(folder), openEmbedded(folder)])
    expect(first.pglite.closed).toBe(true)
    expect(third.pglite).toBe(second.pglite)
    await Promise.all([closing, second.close(), third.close()])
    expect(await readdir(folder)).not.toContain('lock')
  })

  it('gives back one share, however often that is closed', async () => {
    const [one, other] = [await openEmbedded(folder), await openEmbedded(folder)]
    await Promise.all([one.close(), one.close()])
    await one.close()
    expect(other.pglite.closed).toBe(false)
    await other.close()
  })

  it('is not opened by a sync that was closed', async () => {
    const sync = open()
    await sync.close()
    await expect(sync.check()).rejects.toMatchObject({ code: 'shutting_down', status: 503 })
    await expect(deliver(sync, user('user_1'))).rejects.toMatchObject({ code: 'shutting_down', status: 503 })
    expect(await readdir(folder)).not.toContain('lock')
  })

  it('survives a development server that loads the module anew', async () => {
    const anew = new URL('../../src/database/embedded.ts?anew', import.meta.url).href
    const reloaded = (await import(/* @vite-ignore */ anew)) as { openEmbedded: typeof openEmbedded }
    expect(reloaded.openEmbedded).not.toBe(openEmbedded)
    const [before, after] = [await openEmbedded(folder), await reloaded.openEmbedded(folder)]
    expect(after.pglite).toBe(before.pglite)
    await before.close()
    expect((await after.pglite.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await after.close()
    expect(await readdir(folder)).not.toContain('lock')
  })

  it('can be tried again after it could not be opened', async () => {
    await writeFile(
      join(folder, 'lock'),
      JSON.stringify({ token: 'x', pid: 1, startTicks: null, host: 'another-host' }),
    )
    const sync = open()
    await expect(deliver(sync, user('tried_again'))).rejects.toMatchObject({ code: 'embedded_locked' })
    await rm(join(folder, 'lock'))
    expect(await deliver(sync, user('tried_again'))).toMatchObject({ outcome: 'applied' })
  })

  it('says which folder it cannot make', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    await expect(open(join(file, 'database')).check()).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining(file),
    })
  })
})
