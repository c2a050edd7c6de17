/** `clerk-sync dev`: a server, a database and traffic, for development; nothing needs to be configured. */

import { type Command, Option } from 'commander'
import { DEFAULT_PORT } from '../../server/defaults.ts'
import { readVersion } from '../../version.ts'
import type { DevOptions } from '../dev/session.ts'
import { TUNNELS } from '../dev/tunnel-session.ts'
import { listenForInterruption } from '../interruption.ts'
import {
  parseCount,
  parseRate,
  parseUrl,
  withAddressOptions,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { Output } from '../output.ts'

const ONE_A_SECOND = 1_000

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync dev', 'simulated traffic, or real traffic once a signing secret is set'],
    [
      'clerk-sync dev --forward-to http://localhost:3000/api/webhooks/clerk',
      'also forward each delivery to your app’s route',
    ],
    ['clerk-sync dev --tunnel clerk', 'real events, through the tunnel of the Clerk CLI'],
    ['clerk-sync dev --seed 7 --fresh', 'the same simulated history each time'],
    ['clerk-sync dev --simulate --json', 'simulated traffic even with a secret, as JSON'],
  ])
  withAddressOptions(withDatabaseOptions(command), 'any', `${DEFAULT_PORT}, or a free one if that is taken`)
    .option('--simulate', 'simulate traffic even if a signing secret is set')
    .option('--forward-to <url>', 'forward each accepted delivery to your app’s webhook route', parseUrl)
    .addOption(
      new Option('--tunnel <kind>', 'open a tunnel from Clerk to this machine')
        .choices(TUNNELS)
        .conflicts('simulate'),
    )
    .addOption(
      new Option('--rate <rate>', 'rate of simulated changes, such as 10/s or 90/m')
        .default(ONE_A_SECOND, '1/s')
        .argParser(parseRate),
    )
    .option('--seed <number>', 'repeat the simulated history of this seed (random)', parseCount)
    .option('--fresh', 'empty the embedded database first')
    .option('--yes', 'allow simulated data in a database on another machine')
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
