/** `clerk-sync demo`: the main job, from signed webhook to proven table, without an account and without a network. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { DEMO_SCHEMA, Demo } from '../../simulation/demo.ts'
import { DemoReport } from '../demo-report.ts'
import { EXIT } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import { type GlobalOptions, parseCount, withExamples } from '../options.ts'
import { Output } from '../output.ts'

interface DemoOptions extends GlobalOptions {
  readonly database?: string
  readonly seed: number
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync demo', 'on a temporary embedded database'],
    [
      'clerk-sync demo --database postgres://localhost/app',
      `on your Postgres, in a schema ${DEMO_SCHEMA} of its own`,
    ],
    ['clerk-sync demo --json', 'the result as one line of JSON; exits with 3 if any row differs from Clerk'],
  ])
  command
    .option('--database <address>', 'postgres://… or a folder (a temporary folder)')
    .option('--seed <number>', 'seed of the simulated Clerk', parseCount, 7)
    .action((_, self: Command) => demo(self.optsWithGlobals()))
}

async function demo(options: DemoOptions): Promise<void> {
  const output = new Output(options)
  const isIdentical = await interruptible(output, (signal) =>
    withFolder(options.database, (database) => run({ ...options, database }, signal, output)),
  )
  if (!isIdentical) process.exitCode = EXIT.foundProblems
}

/** Without a database, work happens in a folder that is removed after it. */
async function withFolder<Result>(
  database: string | undefined,
  work: (database: string) => Promise<Result>,
): Promise<Result> {
  if (database) return work(database)
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-demo-'))
  return work(folder).finally(() => rm(folder, { recursive: true, force: true }))
}

async function run(
  { database, seed }: DemoOptions & { database: string },
  signal: AbortSignal,
  output: Output,
): Promise<boolean> {
  const report = new DemoReport(output)
  await using demo = await Demo.open({ database, seed, signal, onProgress: report.progress.bind(report) })
  report.begin(seed, demo.databaseKind)
  const url = await report.timed(() => demo.start())
  report.started(demo.tables, url)
  report.backfill(await report.timed(() => demo.backfill()))
  report.backlog(await report.timed(() => demo.backlog()), demo.clerk)
  report.live(await report.timed(() => demo.live()))
  report.outage(await report.timed(() => demo.outage()))
  report.reconcile(await report.timed(() => demo.reconcile()))
  return report.verdict(await report.timed(() => demo.verify()), demo.outcomes)
}
