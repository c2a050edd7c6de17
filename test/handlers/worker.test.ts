/** What a worker does with claims that come when it stops, or that it cannot start. */

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import { on } from '../../src/handlers/handler.ts'
import { Registry } from '../../src/handlers/registry.ts'
import type { ClaimedRun, Runs } from '../../src/handlers/runs.ts'
import { Worker } from '../../src/handlers/worker.ts'

const KEY = { eventId: 'msg_1', handler: 'waiting' }
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

let calls: string[]
let claimed: PromiseWithResolvers<ClaimedRun[]>
let worker: Worker

/** A worker whose database answers when the test says so. */
function workerOn(rows: () => Promise<never>): Worker {
  const runs = {
    claim: () => claimed.promise,
    release: async (given: readonly ClaimedRun[]) => {
      calls.push(...given.map(({ eventId }) => `released ${eventId}`))
    },
  } as unknown as Runs
  const registry = new Registry()
  registry.add(on('user.created', () => calls.push('handled'), { name: KEY.handler }))
  const bookkeeping = { getExecutor: () => ({ executeQuery: rows }) }
  const database = { bookkeeping, schema: 'clerk' } as unknown as Database
  return new Worker({ database, runs, registry, log: SILENT })
}

const run = { ...KEY, claim: 'ours', attempt: 1, resource: 'users', resourceId: 'user_1' } as ClaimedRun

beforeEach(() => {
  calls = []
  claimed = Promise.withResolvers()
  worker = workerOn(() => Promise.reject(new Error('the connection is lost')))
})

it('a worker that stops waits for what it is just claiming, gives it back, and lets the engine know', async () => {
  const taken = worker.take([KEY])
  const refused = expect(taken).rejects.toMatchObject({ code: 'shutting_down' })
  await sleep(10)
  const stopped = worker.stop(0).then(() => calls.push('stopped'))
  await sleep(10)
  expect(calls).toEqual([])
  claimed.resolve([run])
  await Promise.all([refused, stopped])
  expect(calls).toEqual(['released msg_1', 'stopped'])
})

it('a worker that has stopped takes nothing, and lets the engine know', async () => {
  await worker.stop(0)
  await expect(worker.run([KEY])).rejects.toMatchObject({ code: 'shutting_down' })
  expect(calls).toEqual([])
})

it('runs that cannot be started are given back', async () => {
  const taken = worker.take([KEY])
  claimed.resolve([run])
  await expect(taken).rejects.toThrow('the connection is lost')
  expect(calls).toEqual(['released msg_1'])
  await worker.stop(0)
})
