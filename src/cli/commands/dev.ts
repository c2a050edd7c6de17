/** `clerk-sync dev`: a server, a database and traffic, for development; nothing needs to be configured. */

import { type Command, Option } from 'commander'
import { DEFAULT_HOST, DEFAULT_PORT } from '../../server/defaults.ts'
import { readVersion } from '../../version.ts'
import { parseHost, parsePort } from '../address.ts'
import type { DevOptions } from '../dev/session.ts'
import { TUNNELS } from '../dev/tunnels.ts'
import { listenForInterruption } from '../interruption.ts'
import { parseCount, parseRate, parseUrl, withDatabaseOptions, withExamples } from '../options.ts'
import { Output } from '../output.ts'

const ONE_A_SECOND = 1_000

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync dev', 'simulated traffic until there is a secret, real traffic after'],
    [
      'clerk-sync dev --forward-to http://localhost:3000/api/webhooks/clerk',
      'every delivery also goes to your app’s own route',
    ],
    ['clerk-sync dev --tunnel clerk', 'real events, through the relay of Clerk’s command line'],
    ['clerk-sync dev --seed 7 --fresh', 'the same people who do the same things, as often as you like'],
    ['clerk-sync dev --simulate --json', 'simulated traffic in any case, as lines of JSON'],
  ])
  withDatabaseOptions(command)
    .addOption(
      new Option('--port <number>', 'TCP port')
        .env('PORT')
        .default('any', `${DEFAULT_PORT}, or a free one if that is taken`)
        .argParser(parsePort<DevOptions['port']>),
    )
    .addOption(
      new Option('--host <address>', 'address to listen on')
        .env('HOST')
        .default(DEFAULT_HOST)
        .argParser(parseHost),
    )
    .option('--simulate', 'simulated traffic although there is a signing secret')
    .option('--forward-to <url>', 'your app’s webhook route, for every delivery that was taken', parseUrl)
    .addOption(
      new Option('--tunnel <kind>', 'let Clerk reach this machine').choices(TUNNELS).conflicts('simulate'),
    )
    .addOption(
      new Option('--rate <rate>', 'how much happens in the simulated Clerk, as in 10/s or 90/m')
        .default(ONE_A_SECOND, '1/s')
        .argParser(parseRate),
    )
    .option('--seed <number>', 'the same seed, the same people and deeds (another each time)', parseCount)
    .option('--fresh', 'empty the embedded database first')
    .option('--yes', 'let simulated people into a database on another machine')
    .action((_, self: Command) => dev(self.optsWithGlobals()))
}

async function dev(options: DevOptions): Promise<void> {
  const startedAt = performance.now()
  const output = new Output(options)
  const interruption = listenForInterruption()
  output.note(`\n  clerk-sync ${readVersion()}  dev\n`)
  // The database drivers and the simulated Clerk take a second to load.
  const { runDev } = await import('../dev/run.ts')
  await runDev(options, { output, interruption, startedAt })
}
