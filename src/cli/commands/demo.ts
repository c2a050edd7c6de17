/** `clerk-sync demo`: the main job, from signed webhook to proven table, without an account and without a network. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { sql } from 'kysely'
import { CATALOGUE, CHILD_SETS } from '../../clerk/catalogue.ts'
import { type ClerkSync, createClerkSync, type Logger, type Receipt } from '../../index.ts'
import { startServer } from '../../server/server.ts'
import { createSigningSecret, createSimulatedClerk, startBackendApi } from '../../testing/index.ts'
import type { TakenDelivery } from '../delivery-log.ts'
import { DemoReport } from '../demo/report.ts'
import { Scenario } from '../demo/scenario.ts'
import { EXIT, Interrupted, listenForInterruption } from '../failure.ts'
import { parseCount, withExamples } from '../options.ts'
import { Output, type OutputOptions } from '../output.ts'

interface DemoOptions extends OutputOptions {
  readonly database?: string
  readonly seed: number
}

/** Its own, so that the demo can be run on any database without touching what is there. */
const SCHEMA = 'clerk_sync_demo'
const PATH = '/webhooks/clerk'

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync demo', 'on a temporary embedded database'],
    [
      'clerk-sync demo --database postgres://localhost/app',
      `on your Postgres, in a schema ${SCHEMA} of its own`,
    ],
    ['clerk-sync demo --json', 'the result as one line of JSON; exits with 3 if any row differs from Clerk'],
  ])
  command
    .option('--database <address>', 'postgres://… or a folder (a temporary folder)')
    .option('--seed <number>', 'seed of the simulated Clerk', parseCount, 7)
    .action((_, self: Command) => demo(self.optsWithGlobals()))
}

async function demo(options: DemoOptions): Promise<void> {
  const interruption = listenForInterruption()
  const folder = options.database ? undefined : await mkdtemp(join(tmpdir(), 'clerk-sync-demo-'))
  try {
    const database = options.database ?? (folder as string)
    const isIdentical = await run({ ...options, database }, interruption.signal)
    if (!isIdentical) process.exitCode = EXIT.foundProblems
  } catch (error) {
    if (interruption.signal.aborted) throw new Interrupted(await interruption.happened)
    throw error
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true })
    interruption.dispose()
  }
}

async function run(options: DemoOptions & { database: string }, signal: AbortSignal): Promise<boolean> {
  const { database, seed } = options
  const report = new DemoReport(new Output(options))
  const secret = createSigningSecret()
  const log = new DemoLog()
  const clerk = createSimulatedClerk({ seed })
  await using api = await startBackendApi(clerk, { rateLimit: null })
  const sync = createClerkSync({
    database,
    schema: SCHEMA,
    signingSecret: secret,
    instanceId: [],
    secretKey: api.secretKey,
    apiUrl: api.url,
    apiRateLimit: Number.POSITIVE_INFINITY,
    log,
  })
  report.begin(seed, sync.location.kind)
  await report.timed(() => prepare(sync))
  const server = await startServer({ sync, port: 0, webhookPaths: [PATH] })
  try {
    const url = `http://127.0.0.1:${server.port}${PATH}`
    const onProgress = report.progress.bind(report)
    report.started(Object.keys({ ...CATALOGUE, ...CHILD_SETS }).length + 1, url)
    const scenario = new Scenario({ clerk, sync, server, url, secret, seed, signal, onProgress })
    report.backfill(await report.timed(() => scenario.backfill()))
    report.backlog(await report.timed(() => scenario.backlog()), scenario.clerk)
    report.live(await report.timed(() => scenario.live()))
    report.outage(await report.timed(() => scenario.outage()))
    report.reconcile(await report.timed(() => scenario.reconcile()))
    const comparisons = await report.timed(() => scenario.verify())
    return report.verdict(comparisons, log.outcomes)
  } finally {
    await clear(sync).catch(() => undefined)
    await server.stop()
  }
}

async function prepare(sync: ClerkSync): Promise<void> {
  await clear(sync)
  await sync.migrate()
}

async function clear(sync: ClerkSync): Promise<void> {
  await sql`drop schema if exists ${sql.id(SCHEMA)} cascade`.execute(sync.database)
}

class DemoLog implements Logger {
  readonly outcomes = new Map<Receipt['outcome'], number>()

  debug(): void {}

  info(fields: object, message: string): void {
    if (message !== 'delivery') return
    const { outcome } = fields as TakenDelivery
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  /** What is refused here is refused on purpose; the servers' answers are counted. */
  warn(): void {}

  error(): void {}
}
