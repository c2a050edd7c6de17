/** That the benchmarks still run and that what was acknowledged is in the tables. Says nothing about speed. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

async function report(script: string, ...options: string[]) {
  const env = {
    ...process.env,
    BENCH_DATABASE_URL: inject('postgresUrl') ?? '',
    BENCH_REDIS_URL: inject('redisUrl') ?? '',
  }
  const path = `${import.meta.dirname}/${script}`
  const argv = [path, '--json', '--rounds', '1', '--seconds', '0.2', ...options]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env })
  return JSON.parse(stdout)
}

test('every variant takes deliveries and keeps them, and what each costs is counted', async () => {
  const { tables } = await report('throughput.ts', '--connections', '8')
  const variants = tables.map(
    ({ workload, results }: { workload: string; results: { variant: string }[] }) => [
      workload,
      ...results.map(({ variant }) => variant),
    ],
  )
  expect(variants).toEqual([
    ['created', 'limit', 'ours', 'hand-written', 'stripe'],
    ['mixed', 'limit', 'ours'],
  ])
  const [, ours] = tables[0].results
  for (const cost of [ours.nodeCpu, ours.postgresCpu, ours.walBytes]) expect(cost.median).toBeGreaterThan(0)
})

test('every library verifies', async () => {
  const { results } = await report('verify.ts')
  expect(results).toHaveLength(6)
})

test('a ledger of years is filled, and takes deliveries', async () => {
  const { results } = await report('growth.ts', '--events', '5000')
  expect(results.map(({ workload }: { workload: string }) => workload)).toEqual(['created', 'mixed'])
})

test('memory is looked at ten times', async () => {
  const { curve } = await report('memory.ts', '--events', '500')
  expect(curve).toHaveLength(11)
})

test('one delivery at a time goes through a slow network', async () => {
  const { results } = await report('latency.ts', '--short', '--round-trips', '4')
  expect(results).toHaveLength(3)
  for (const { roundTrip, p50 } of results) {
    expect(roundTrip).toBeGreaterThanOrEqual(4)
    expect(p50).toBeGreaterThan(roundTrip)
  }
})

test('deliveries at a fixed rate are all answered', async () => {
  const { results } = await report('latency.ts', '--variants', 'ours', '--rate', '20', '--round-trips', '2,4')
  const answers = results.map(({ sent, statuses }: { sent: number; statuses: object }) => [sent, statuses])
  expect(answers).toEqual([
    [4, { 200: 4 }],
    [4, { 200: 4 }],
  ])
})

test('the embedded database takes deliveries and holds them when its process has ended', async () => {
  const { results } = await report('embedded.ts', '--connections', '8')
  expect(results.map(({ workload }: { workload: string }) => workload)).toEqual(['created', 'mixed'])
})

test('handlers run on every engine and start in either process', async () => {
  const { results } = await report('handlers.ts', '--events', '200')
  expect(results).toHaveLength(12)
  for (const { median } of results) expect(Number.isFinite(median)).toBe(true)
})
