/** What a worker does with claims that come when it stops, or that it cannot start. */

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import type { Claims } from '../../src/handlers/claims.ts'
import { on } from '../../src/handlers/handler.ts'
import { Registry } from '../../src/handlers/registry.ts'
import type { ClaimedRun } from '../../src/handlers/run.ts'
import { Worker, type WorkerParts } from '../../src/handlers/worker.ts'
import { Telemetry } from '../../src/telemetry.ts'
import { eventOf } from '../support/deliveries.ts'

const KEY = { eventId: 'msg_1', handler: 'waiting' }
const ONCE = { eventId: 'msg_1', handler: 'called-once' }
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

let calls: string[]
let claimed: PromiseWithResolvers<ClaimedRun[]>
let marked: PromiseWithResolvers<ClaimedRun[]>
let worker: Worker

/** A worker whose database answers when the test says so. */
function createWorker(): Worker {
  const claims = {
    due: () => claimed.promise,
    byEvent: () => claimed.promise,
    complete: async (runs: readonly ClaimedRun[]) => runs,
    mark: () => marked.promise,
    release: async (given: readonly ClaimedRun[]) => {
      calls.push(...given.map(({ eventId }) => `released ${eventId}`))
      return []
    },
  } as unknown as Claims
  const registry = new Registry()
  const handle = () => calls.push('handled')
  registry.add(on('user.created', handle, { name: KEY.handler }))
  registry.add(on('user.created', handle, { name: ONCE.handler, retries: 0 }))
  const lease = { end: async () => undefined, renew: async () => null }
  const completions = { idle: async () => undefined, succeed: async () => undefined }
  const telemetry = new Telemetry()
  const wake = () => undefined
  const parts = { registry, claims, lease, completions, transactions: {}, wake, log: SILENT, telemetry }
  return new Worker(parts as unknown as WorkerParts)
}

const run = {
  ...KEY,
  claim: 'ours',
  attempt: 1,
  type: 'user.created',
  resource: 'users',
  resourceId: 'user_1',
  body: Buffer.from(JSON.stringify(eventOf('user.created', { id: 'user_1' }))),
} as unknown as ClaimedRun
const runOnce = { ...run, ...ONCE }

beforeEach(() => {
  calls = []
  claimed = Promise.withResolvers()
  marked = Promise.withResolvers()
  worker = createWorker()
})

it('a worker that stops waits for what it is just claiming, gives it back, and lets the engine know', async () => {
  const taken = worker.take(KEY.handler)
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
  await expect(worker.take(KEY.handler)).rejects.toMatchObject({ code: 'shutting_down' })
  expect(calls).toEqual([])
})

it('a claim that fails is told to the engine', async () => {
  const taken = worker.take(KEY.handler)
  claimed.reject(new Error('the connection is lost'))
  await expect(taken).rejects.toThrow('the connection is lost')
  await worker.stop(0)
})

it('a run is not over before its handler was called, though its last try must be noted first', async () => {
  claimed.resolve([runOnce])
  const ran = worker.run([ONCE]).then(() => calls.push('over'))
  await sleep(20)
  expect(calls).toEqual([])
  marked.resolve([runOnce])
  await ran
  expect(calls).toEqual(['handled', 'over'])
  await worker.stop(0)
})

it('a worker that stops while a last try is noted gives it back, and calls no handler', async () => {
  claimed.resolve([runOnce])
  void worker.run([ONCE]).catch(() => undefined)
  await sleep(10)
  const stopped = worker.stop(0).then(() => calls.push('stopped'))
  await sleep(10)
  marked.resolve([runOnce])
  await stopped
  expect(calls).toEqual(['released msg_1', 'stopped'])
})
