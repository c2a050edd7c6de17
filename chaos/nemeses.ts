/** What goes wrong. Each does its harm, undoes it, and returns; the run then waits until everything has caught up. */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Part } from './disk.ts'
import type { SupervisedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Site } from './site.ts'

export interface Nemesis {
  readonly name: string
  /** Two that touch the same thing are never at work together. */
  readonly touches: 'receivers' | 'workers' | 'postgres' | 'proxy' | 'redis' | 'clocks'
  readonly run: (site: Site, random: Random) => Promise<void>
  /** Why it cannot be done here. */
  readonly lacks?: (site: Site) => string | undefined
}

/** A worker's lease is 30 seconds at most. */
const BEYOND_LEASE_MS = 35_000
const LOCK_MS = 20_000
const OUTAGE_MS = 6_000
const LONG_OUTAGE_MS = 10_000

const needsRedis = ({ redis }: Site) =>
  redis ? undefined : 'the engine is Postgres (--engine bullmq has a Redis)'
const needsDisk = ({ disk }: Site) =>
  disk.isMounted ? undefined : 'needs a small file system of its own, and only root may mount one'
const needsClock = ({ clockLibrary }: Site) =>
  clockLibrary ? undefined : 'needs libfaketime (apt-get install faketime)'

export const NEMESES: readonly Nemesis[] = [
  {
    name: 'kill-receiver',
    touches: 'receivers',
    run: ({ receivers }, random) => killSome(receivers, random),
  },
  { name: 'kill-worker', touches: 'workers', run: ({ workers }, random) => killSome(workers, random) },
  {
    name: 'pause-receiver',
    touches: 'receivers',
    run: ({ receivers }, random) => pause(random.pick(receivers), LONG_OUTAGE_MS),
  },
  {
    name: 'pause-worker',
    touches: 'workers',
    run: ({ workers }, random) => pause(random.pick(workers), BEYOND_LEASE_MS),
  },
  { name: 'postgres-restart', touches: 'postgres', run: (site) => restart(site, 'fast') },
  { name: 'postgres-crash', touches: 'postgres', run: (site) => restart(site, 'immediate') },
  { name: 'failover', touches: 'postgres', run: (site, random) => site.failOver(random.between(500, 2_000)) },
  { name: 'disk-full-data', touches: 'postgres', lacks: needsDisk, run: (site) => fillDisk(site, 'data') },
  { name: 'disk-full-wal', touches: 'postgres', lacks: needsDisk, run: (site) => fillDisk(site, 'wal') },
  { name: 'no-connections', touches: 'postgres', run: exhaustConnections },
  { name: 'long-lock', touches: 'postgres', run: lockTable },
  { name: 'proxy-cut', touches: 'proxy', run: cutOften },
  { name: 'proxy-delay', touches: 'proxy', run: delayAnswers },
  { name: 'black-hole', touches: 'proxy', run: blackHole },
  { name: 'lost-commit-reply', touches: 'proxy', run: loseCommitReplies },
  { name: 'redis-flush', touches: 'redis', lacks: needsRedis, run: flushRedis },
  { name: 'redis-kill', touches: 'redis', lacks: needsRedis, run: killRedis },
  { name: 'clock-jump', touches: 'clocks', lacks: needsClock, run: jumpClocks },
]

async function killSome(processes: readonly SupervisedProcess[], random: Random): Promise<void> {
  for (let kill = 0; kill < 4; kill++) {
    random.pick(processes).kill()
    await sleep(random.between(300, 2_500))
  }
}

async function pause(process: SupervisedProcess, milliseconds: number): Promise<void> {
  process.pause()
  await sleep(milliseconds)
  process.resume()
}

async function restart({ postgres }: Site, how: 'fast' | 'immediate'): Promise<void> {
  await postgres.stop(how)
  await postgres.start()
}

async function fillDisk(site: Site, part: Part): Promise<void> {
  const { disk } = site
  await disk.fill(part)
  try {
    // Postgres writes into space that it has already until it needs more.
    const end = Date.now() + LONG_OUTAGE_MS
    while (Date.now() < end) {
      if (part === 'wal') await site.query('select pg_switch_wal()')
      else await site.query('checkpoint')
      await sleep(500)
    }
  } finally {
    await disk.free(part)
    await site.revivePostgres()
  }
}

/** Takes every connection; those of the pools are ended, and must not win the race for what became free. */
async function exhaustConnections(site: Site): Promise<void> {
  const taken: pg.Client[] = []
  const end = Date.now() + OUTAGE_MS
  await takeAll(site, taken)
  const [own] = taken
  while (Date.now() < end) {
    await own?.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'clerk-sync%'",
    )
    await takeAll(site, taken)
  }
  for (const client of taken) await client.end().catch(() => undefined)
}

async function takeAll(site: Site, taken: pg.Client[]): Promise<void> {
  const tries = Array.from({ length: 20 }, () => take(site, taken))
  if ((await Promise.all(tries)).some((isTaken) => isTaken)) await takeAll(site, taken)
}

async function take(site: Site, taken: pg.Client[]): Promise<boolean> {
  const client = new pg.Client({ connectionString: site.postgres.url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    taken.push(client)
    return true
  } catch {
    return false
  }
}

/** As a careless migration does. */
async function lockTable(site: Site, random: Random): Promise<void> {
  const table = random.pick(['events', 'users', 'handler_runs'])
  const client = new pg.Client({ connectionString: site.postgres.url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(`begin; lock table clerk.${table} in access exclusive mode`)
    await sleep(LOCK_MS)
    await client.query('rollback')
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function cutOften({ proxy }: Site, random: Random): Promise<void> {
  const end = Date.now() + OUTAGE_MS
  while (Date.now() < end) {
    proxy.cut()
    await sleep(random.between(50, 1_500))
  }
}

async function delayAnswers({ proxy }: Site, random: Random): Promise<void> {
  proxy.delayMs = random.between(50, 400)
  await sleep(LONG_OUTAGE_MS)
  proxy.delayMs = 0
}

/** The open connections stay dead; the clients must notice. */
async function blackHole({ proxy }: Site): Promise<void> {
  proxy.silence()
  proxy.isSilent = true
  await sleep(LONG_OUTAGE_MS)
  proxy.isSilent = false
}

/** The server commits, and the client never hears of it. */
async function loseCommitReplies(site: Site, random: Random): Promise<void> {
  const { proxy } = site
  proxy.cutAfter = (sent) => {
    if (!/\bcommit\b/i.test(sent.toString('latin1')) || !random.chance(0.3)) return false
    site.lostReplies++
    return true
  }
  await sleep(LONG_OUTAGE_MS)
  proxy.cutAfter = undefined
}

async function flushRedis({ redis }: Site, random: Random): Promise<void> {
  for (let flush = 0; flush < 5; flush++) {
    await redis?.flush()
    await sleep(random.between(200, 1_000))
  }
}

async function killRedis({ redis }: Site): Promise<void> {
  await redis?.stop()
  await sleep(OUTAGE_MS)
  await redis?.start()
}

/** Beyond the tolerance of timestamps, forwards and back, on one receiver and one worker. */
async function jumpClocks({ receivers, workers }: Site, random: Random): Promise<void> {
  const victims = [receivers.at(-1), workers.at(-1)]
  for (const offset of random.shuffled(['+600', '-600', '+86400'])) {
    for (const victim of victims) victim?.setClock(offset)
    await sleep(3_000)
  }
  for (const victim of victims) victim?.setClock('+0')
}
