/** `clerk-sync dev`: a server, a database and traffic, for development; nothing needs to be configured. */

import { type Command, Option } from 'commander'
import { type ClerkSync, ClerkSyncError, createClerkSync } from '../../index.ts'
import { type ClerkSyncServer, DEFAULT_PORT, startServer, WEBHOOK_PATHS } from '../../server/server.ts'
import { createSigningSecret, createSimulatedClerk, createSimulatedSvix } from '../../testing/index.ts'
import { type Configuration, loadConfiguration } from '../configuration.ts'
import { DeliveryLog } from '../delivery-log.ts'
import { Forwarding } from '../forwarding.ts'
import { Interrupted, listenForInterruption } from '../interruption.ts'
import { liveTraffic } from '../live-traffic.ts'
import {
  type DatabaseOptions,
  parseCount,
  parseRate,
  parseUrl,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { Output, type OutputOptions } from '../output.ts'
import { signingSecrets } from '../secrets.ts'

interface DevOptions extends OutputOptions, DatabaseOptions {
  readonly port?: number
  readonly simulate?: boolean
  readonly forwardTo?: URL
  /** Milliseconds from one action of the simulated Clerk to the next. */
  readonly rate: number
  readonly seed: number
}

/** Apart from that of `clerk-sync start`: invented people do not belong among real ones. */
const SIMULATED_FOLDER = '.clerk-sync/dev'
const ONE_A_SECOND = 1_000
const USERS = 20
/** Svix’s next tries after 5 s, 5 min and 30 min come after 80 ms, 5 s and 30 s. */
const TIME_SCALE = 1 / 60

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync dev', 'simulated traffic, and real traffic once there is a secret'],
    [
      'clerk-sync dev --forward-to http://localhost:3000/api/webhooks/clerk',
      'every delivery also goes to your app’s own route',
    ],
    ['clerk-sync dev --simulate --json', 'simulated traffic in any case, as lines of JSON'],
  ])
  withDatabaseOptions(command)
    .addOption(
      new Option('--port <number>', `TCP port (${DEFAULT_PORT}, else a free one)`)
        .env('PORT')
        .argParser(parseCount),
    )
    .option('--simulate', 'simulated traffic although there is a signing secret')
    .option('--forward-to <url>', 'your app’s webhook route, for every delivery that was taken', parseUrl)
    .option(
      '--rate <rate>',
      'how much happens in the simulated Clerk, as in 10/s or 90/m (1/s)',
      parseRate,
      ONE_A_SECOND,
    )
    .option('--seed <number>', 'another seed, another Clerk', parseCount, 7)
    .action((_, self: Command) => dev(self.optsWithGlobals()))
}

/** What the steps share. */
interface Session {
  readonly options: DevOptions
  readonly output: Output
  readonly sync: ClerkSync
  readonly secret: readonly string[]
  readonly isSimulated: boolean
}

async function dev(options: DevOptions): Promise<void> {
  const output = new Output(options)
  const interruption = listenForInterruption()
  const session = open(options, await loadConfiguration(options), output)
  try {
    await prepare(session)
    if (!interruption.signal.aborted) await run(session, interruption.signal, interruption.happened)
  } finally {
    await session.sync.close()
  }
  if ((await interruption.happened) === 'SIGINT') throw new Interrupted('SIGINT')
}

function open(options: DevOptions, configuration: Configuration, output: Output): Session {
  const log = new DeliveryLog(output)
  const configured = signingSecrets({ ...configuration.options, log })
  const isSimulated = options.simulate === true || configured.length === 0
  // The app could not verify what is signed with a secret that nobody else knows.
  if (options.forwardTo && configured.length === 0) throw new ClerkSyncError('secret_missing')
  const secret = configured.length > 0 ? configured : [createSigningSecret()]
  const simulated = { database: options.database ?? SIMULATED_FOLDER, instanceId: [] }
  const sync = createClerkSync({
    ...configuration.options,
    ...(isSimulated && simulated),
    signingSecret: secret,
    log,
  })
  return { options, output, sync, secret, isSimulated }
}

async function prepare({ output, sync, isSimulated }: Session): Promise<void> {
  const { kind, name } = sync.location
  output.note(`  Database   ${kind === 'embedded' ? `embedded Postgres in ${name}` : name}`)
  await sync.migrate()
  output.note(`  Clerk      ${isSimulated ? 'simulated' : 'real events, as they come to this route'}`)
  const handlers = await sync.handlers.list()
  if (handlers.length > 0) output.note(`  Handlers   ${handlers.map(({ name }) => name).join(', ')}`)
  if (handlers.length > 0) await sync.work()
}

async function run(session: Session, signal: AbortSignal, interrupted: Promise<unknown>): Promise<void> {
  const { options, output, sync, isSimulated } = session
  const forwarding = options.forwardTo && new Forwarding(options.forwardTo, output)
  const server = await listen(forwarding?.through(sync) ?? sync, options.port, output)
  const url = `http://localhost:${server.port}${WEBHOOK_PATHS[0]}`
  announce(url, session)
  try {
    await Promise.all([interrupted, isSimulated && simulate(url, session, signal)])
  } finally {
    output.note('  Stopping …')
    await forwarding?.settled()
    await server.stop()
  }
}

/** A port that was asked for is that or none. */
async function listen(sync: ClerkSync, port: number | undefined, output: Output): Promise<ClerkSyncServer> {
  try {
    return await startServer({ sync, port })
  } catch (error) {
    const isTaken = error instanceof ClerkSyncError && error.code === 'port_taken'
    if (!isTaken || port !== undefined) throw error
    output.note(`  ! Port ${DEFAULT_PORT} is taken; this is another one.`)
    return startServer({ sync, port: 0 })
  }
}

/** Whoever reads it, and in whatever form: the first line of data says that it is ready. */
function announce(url: string, { options, output, sync, isSimulated }: Session): void {
  if (options.forwardTo) output.note(`  Forward    ${options.forwardTo}`)
  const database = sync.location
  const ready = { type: 'ready', time: new Date(), webhooks: url, simulated: isSimulated, database }
  if (output.json) output.stdout.record(ready)
  else output.stdout.line(`ready webhooks=${url}`)
}

async function simulate(url: string, { options, secret }: Session, signal: AbortSignal): Promise<void> {
  const { seed, rate } = options
  const clerk = createSimulatedClerk({ seed: seed + Math.floor(Date.now() / 1_000), startAt: Date.now() })
  await using svix = createSimulatedSvix({ url, secret, seed, timeScale: TIME_SCALE })
  const pace = { users: USERS, rate, count: Number.POSITIVE_INFINITY }
  for await (const events of liveTraffic(clerk, pace, signal)) svix.send(events)
}
