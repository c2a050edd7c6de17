import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lockFolder } from '../../src/database/folder-lock.ts'
import { startProcess } from './processes.ts'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clerk-sync-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A lock as a process leaves it behind. */
async function leaveLock(content: object | string, ageSeconds = 0): Promise<void> {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  await makeOld(path, ageSeconds)
}

function makeOld(file: string, ageSeconds: number): Promise<void> {
  const then = new Date(Date.now() - ageSeconds * 1000)
  return utimes(file, then, then)
}

/** Of a process that has ended. */
const endedPid = spawnSync('true').pid

const owner = (change: object) => ({
  token: 'left',
  pid: process.pid,
  startTicks: null,
  host: hostname(),
  ...change,
})

describe('locking a folder', () => {
  it('creates the folder, and refuses the next one, naming the owner', async () => {
    const inner = join(folder, 'a', 'b')
    const release = await lockFolder(inner)
    await expect(lockFolder(inner)).rejects.toMatchObject({
      code: 'embedded_locked',
      status: 500,
      message: expect.stringContaining(`process ${process.pid} has ${inner} open`),
      remedy: expect.stringContaining('DATABASE_URL'),
    })
    await release()
  })

  it('leaves nothing behind once it is released', async () => {
    const release = await lockFolder(folder)
    expect(await readdir(folder)).toEqual(['lock'])
    await release()
    expect(await readdir(folder)).toEqual([])
    await (await lockFolder(folder))()
  })

  it('leaves nothing behind when it is refused', async () => {
    const release = await lockFolder(folder)
    await lockFolder(folder).catch(() => undefined)
    expect(await readdir(folder)).toEqual(['lock'])
    await release()
  })

  it.each<[string, () => object | string, number]>([
    ['a process that ended', () => owner({ pid: endedPid }), 0],
    ['an earlier process with the same id', () => owner({ startTicks: '1' }), 0],
    ['a silent host', () => owner({ host: 'another-host' }), 31],
    ['nobody: an empty file', () => '', 0],
    ['nobody: a file that was cut', () => '{"token":"x","pid":1', 0],
    ['nobody: JSON, but no owner', () => '{}', 0],
    ['nobody: null', () => 'null', 0],
    ['nobody: a number', () => '42', 0],
    ['nobody: an owner without a process', () => owner({ pid: 'x' }), 0],
  ])('takes over the lock of %s', async (_, content, age) => {
    await leaveLock(content(), age)
    const release = await lockFolder(folder)
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
    expect(await readdir(folder)).toEqual(['lock'])
    await release()
  })

  it('refuses the lock of another host that was alive a moment ago', async () => {
    await leaveLock(owner({ host: 'another-host', pid: 4711 }), 20)
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'embedded_locked',
      message: expect.stringContaining('process 4711 on another-host has'),
    })
  })

  it('takes over although another process ended while it took over', async () => {
    await leaveLock(owner({ pid: endedPid }))
    await mkdir(`${path}.takeover`)
    await makeOld(`${path}.takeover`, 31)
    const release = await lockFolder(folder)
    expect(await readdir(folder)).toEqual(['lock'])
    await release()
  })

  it('waits for another process that takes over right now', async () => {
    await leaveLock(owner({ pid: endedPid }))
    await mkdir(`${path}.takeover`)
    let isTaken = false
    const taken = lockFolder(folder).finally(() => {
      isTaken = true
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isTaken).toBe(false)
    await rm(`${path}.takeover`, { recursive: true })
    await (await taken)()
  })

  it('is won by exactly one when many want a stale lock at once', async () => {
    for (let round = 0; round < 60; round++) {
      await leaveLock(round % 2 === 0 ? owner({ pid: endedPid }) : 'garbage')
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)))
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      await won[0]?.value()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('is never held by two when several processes take and release it in turn', async () => {
    const processes = [1, 2, 3].map(() => startProcess({ command: 'contend', database: folder }))
    const counts = await Promise.all(processes.map((each) => each.next()))
    for (const { taken, shared } of counts as { taken: number; shared: number }[]) {
      expect(taken).toBeGreaterThan(0)
      expect(shared).toBe(0)
    }
  })

  it('tells other hosts every few seconds that it is alive', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const release = await lockFolder(folder)
    await makeOld(path, 60)
    vi.advanceTimersByTime(5_000)
    await expect.poll(async () => Date.now() - (await stat(path)).mtimeMs).toBeLessThan(10_000)
    await release()
    vi.useRealTimers()
  })

  it('does not release what another process has taken over meanwhile', async () => {
    const release = await lockFolder(folder)
    await leaveLock(owner({ token: 'theirs', host: 'another-host' }))
    await release()
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ token: 'theirs' })
  })
})
