/** `clerk-sync start`: the standalone server. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { dashboardEnvironment, metricsEnvironment } from '../../config.ts'
import {
  type Configuration,
  DEFAULT,
  describeOrigin,
  loadConfiguration,
  requireSecrets,
} from '../../configuration/configuration.ts'
import { countOf } from '../../count-of.ts'
import { isNewFolder } from '../../database/embedded-folder.ts'
import { openDashboard } from '../../doctor/dashboard.ts'
import { formatDuration } from '../../duration.ts'
import { type ClerkSync, type ClerkSyncError, createClerkSync, type ReconcileResult } from '../../index.ts'
import type { Metrics } from '../../metrics/index.ts'
import { DEFAULT_PORT } from '../../server/defaults.ts'
import { Preparation } from '../../server/preparation.ts'
import type { ReconcileScheduleOptions } from '../../server/reconcile-schedule.ts'
import { type ClerkSyncServer, DASHBOARD_PATH, startServer, WEBHOOK_PATHS } from '../../server/server.ts'
import { DeliveryLog } from '../delivery-log.ts'
import { EXIT } from '../failure.ts'
import { Interrupted, type Interruption, listenForInterruption } from '../interruption.ts'
import {
  type DatabaseOptions,
  parseDuration,
  parsePort,
  unlessEmpty,
  withAddressOptions,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { Output } from '../output.ts'
import { detail, logStrayRejections, originOf, printSummary, schemaStep, step } from '../serving.ts'

interface StartOptions extends DatabaseOptions {
  readonly port: number
  readonly host: string
  readonly path?: readonly string[]
  readonly migrate: boolean
  readonly role: Role
  /** In milliseconds; 0 for never. */
  readonly reconcileEvery: number
  /** In milliseconds. */
  readonly shutdownDelay: number
  readonly dashboard: boolean
  readonly metrics?: boolean
  readonly metricsPort?: number
}

/** What a process does: receive deliveries, run handlers, or both. */
const ROLES = ['all', 'receiver', 'worker'] as const
type Role = (typeof ROLES)[number]

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync start', 'use the embedded database in .clerk-sync'],
    ['clerk-sync start --host 0.0.0.0 --port 8080', 'reachable from outside, as in a container'],
    ['clerk-sync start --role worker', 'only run handlers; other processes receive'],
    ['clerk-sync start --json | jq .outcome', 'every delivery as a line of JSON'],
  ])
  withAddressOptions(withDatabaseOptions(command), DEFAULT_PORT)
    .option(
      '--path <path>',
      `path of the webhook route, repeatable (${WEBHOOK_PATHS.join(', ')})`,
      collectPath,
    )
    .addOption(new Option('--role <role>', 'what this process does').choices(ROLES).default('all'))
    .addOption(
      new Option(
        '--reconcile-every <duration>',
        'how often to compare the tables with Clerk, or "off"; needs CLERK_SECRET_KEY',
      )
        .env('CLERK_SYNC_RECONCILE_EVERY')
        .default(RECONCILE_EVERY_MS, '6h')
        .argParser(unlessEmpty(parseInterval)),
    )
    .addOption(
      new Option('--shutdown-delay <duration>', 'after SIGTERM, serve this long while /readyz answers 503')
        .env('CLERK_SYNC_SHUTDOWN_DELAY')
        .default(0, 'none')
        .argParser(unlessEmpty(parseDuration)),
    )
    .option('--metrics', 'serve /metrics for Prometheus; needs @prometheus-io/client')
    .addOption(
      new Option('--metrics-port <number>', 'serve /metrics on a port of its own')
        .env('CLERK_SYNC_METRICS_PORT')
        .argParser(unlessEmpty<number | undefined>(parsePort)),
    )
    .option('--no-dashboard', 'serve no dashboard')
    .option('--no-migrate', 'do not migrate the tables')
    .action((_, self: Command) => start(self.optsWithGlobals()))
}

const RECONCILE_EVERY_MS = 6 * 3_600_000

function parseInterval(text: string): number {
  return text === 'off' ? 0 : parseDuration(text)
}

/** What the steps of a start share. */
interface Session {
  readonly options: StartOptions
  readonly output: Output
  readonly log: DeliveryLog
  readonly sync: ClerkSync
  readonly hasSecretKey: boolean
  readonly configuration: Configuration
}

async function start(options: StartOptions): Promise<void> {
  const output = new Output(options)
  const interruption = listenForInterruption()
  void interruption.happened.then(() => output.note('  Stopping …'))
  const log = new DeliveryLog(output)
  logStrayRejections(log)
  const configuration = await loadConfiguration(options)
  const secrets = requireSecrets({ ...configuration.options, log })
  const sync = createClerkSync({ ...configuration.options, log, signingSecret: secrets })
  const hasSecretKey = configuration.originsOf('secretKey').length > 0
  const session = { options, output, log, sync, configuration, hasSecretKey }
  let wasReady = false
  try {
    describeConfiguration(configuration, secrets, output)
    wasReady = await serve(session, interruption)
  } finally {
    await sync.close()
  }
  // Orchestrators send SIGTERM to end a service: that is a success. So is the end of one that only waited.
  if ((await interruption.happened) === 'SIGINT' && wasReady) throw new Interrupted('SIGINT')
}

function describeConfiguration(
  configuration: Configuration,
  secrets: readonly unknown[],
  output: Output,
): void {
  const [origin = DEFAULT] = configuration.originsOf('signingSecret')
  if (configuration.path) step(output, 'Config', configuration.path)
  step(output, 'Secrets', `${secrets.length}, from ${describeOrigin(origin)}`)
}

/** The server answers meanwhile: 503 to deliveries, and why. */
function prepare(session: Session): Preparation {
  const { output, sync } = session
  const { name } = sync.location
  if (isNewFolder(sync.location))
    step(
      output,
      'Database',
      `creating an embedded Postgres in ${name}; this takes a few seconds, once …`,
      ' ',
    )
  let isPrepared = false
  const attempt = async () => {
    if (!isPrepared) await prepareDatabase(session)
    isPrepared = true
    if (session.options.role !== 'receiver') await work(session)
  }
  return new Preparation(attempt, (reason) => printWaiting(reason, output))
}

function printWaiting({ code, message, remedy }: ClerkSyncError, output: Output): void {
  if (output.json) output.stdout.record({ type: 'waiting', time: new Date(), code, message, remedy })
  step(output, 'Waiting', `${code}: ${message}`, output.stderr.colors.yellow('!'))
  detail(output, remedy)
  detail(output, 'Deliveries are answered 503 until then; Svix sends them again.')
}

async function prepareDatabase({ options, output, sync }: Session): Promise<void> {
  const { kind, name, schema } = sync.location
  const startedAt = performance.now()
  const ran = options.migrate ? await sync.migrate() : []
  await sync.check()
  const elapsed = formatDuration(performance.now() - startedAt)
  step(output, 'Database', `${kind === 'embedded' ? `embedded Postgres in ${name}` : name} (${elapsed})`)
  if (kind === 'embedded') {
    detail(output, 'Its data survives a crash of this process, but not a power loss.')
    detail(output, 'For production, set DATABASE_URL to a Postgres.')
  }
  schemaStep(output, schema, ran)
}

/** @returns whether it was ever ready */
async function serve(session: Session, interruption: Interruption): Promise<boolean> {
  const { options, output, sync, log } = session
  const webhookPaths = options.role === 'worker' ? [] : (options.path ?? WEBHOOK_PATHS)
  const preparation = prepare(session)
  const server = await startServer({
    sync,
    port: options.port,
    host: options.host,
    webhookPaths,
    preparation,
    dashboard: options.dashboard ? openDashboard(session, webhookPaths[0]) : undefined,
    metrics: await openMetrics(session),
    metricsPort: options.metricsPort,
    reconcile: scheduleOf(session),
    maintenance: { onError: ({ code, message }) => output.note(`  ! maintenance: ${code}: ${message}`) },
    shutdownDelayMs: options.shutdownDelay,
  })
  const startedAt = performance.now()
  const isReady = await preparedBefore(interruption, preparation, sync).catch(async (error) => {
    await server.stop()
    throw error
  })
  if (isReady) announce(session, server, webhookPaths)
  await interruption.happened
  if (server.underWay > 0) output.note(`  Finishing requests: ${server.underWay} …`)
  const end = await server.stop()
  printSummary({ outcomes: log.outcomes, answers: server.answers, startedAt }, output)
  if (end === 'drained') return isReady
  output.note(
    '  Requests that did not finish in time were closed. Nothing is lost: Svix sends their events again.',
  )
  // Whatever held it up may hold up a normal end as well.
  process.exit(EXIT.failed)
}

/** Half an embedded database would be worse than a second's delay; what hangs in Postgres is rolled back. */
async function preparedBefore(
  { signal, happened }: Interruption,
  preparation: Preparation,
  { location }: ClerkSync,
): Promise<boolean> {
  const ready = preparation.run(signal)
  if (location.kind === 'embedded') return ready
  ready.catch(() => undefined)
  return Promise.race([ready, happened.then(() => false)])
}

/**
 * Before the server listens, so that the first delivery is counted, and a missing package is reported at the start.
 */
async function openMetrics({ options, sync }: Session): Promise<Metrics | undefined> {
  if (!options.metrics && options.metricsPort === undefined) return undefined
  const { createMetrics } = await import('../../metrics/index.ts')
  return createMetrics(sync, metricsEnvironment())
}

/** Those that run no handlers could not tell them what they missed. */
function scheduleOf({ options, output, hasSecretKey }: Session): ReconcileScheduleOptions | undefined {
  const { reconcileEvery, role } = options
  if (reconcileEvery === 0 || role === 'receiver') return undefined
  if (!hasSecretKey) {
    detail(output, 'Set CLERK_SECRET_KEY to compare the tables with Clerk regularly.')
    return undefined
  }
  step(output, 'Reconcile', `every ${formatDuration(reconcileEvery)}, after the first clerk-sync backfill`)
  return {
    everyMs: reconcileEvery,
    onResult: (result) => printResult(result, output),
    onError: ({ code, message }) => output.note(`  ! reconcile: ${code}: ${message}`),
  }
}

function printResult({ jobId, status, drift, expired }: ReconcileResult, output: Output): void {
  const { total, refreshed } = drift
  if (output.json)
    output.stdout.record({ type: 'reconcile', time: new Date(), jobId, status, total, refreshed, expired })
  else output.note(`  Reconciled: ${status}, ${countOf(total, 'row')} differed and were repaired`)
}

async function work({ output, sync }: Session): Promise<void> {
  const names = (await sync.handlers.list()).map(({ name, pausedAt }) =>
    pausedAt ? `${name} (paused)` : name,
  )
  // Also without handlers: it confirms pending verifications and sends alerts.
  await sync.work()
  if (names.length > 0) step(output, 'Handlers', names.join(', '))
}

/** The first line of data says that the server is ready, in every output format. */
function announce(session: Session, server: ClerkSyncServer, webhookPaths: readonly string[]): void {
  const { options, output, sync } = session
  const origin = originOf(options.host, server.port)
  const [webhooks, ...others] = webhookPaths.map((path) => origin + path)
  if (options.dashboard) announceDashboard(origin, output)
  if (server.metricsPort !== undefined) announceMetrics(session, originOf(options.host, server.metricsPort))
  if (webhooks !== undefined) step(output, 'Webhooks', webhooks)
  for (const url of others) detail(output, url)
  const facts = { role: options.role, webhooks, database: sync.location }
  if (output.json) output.stdout.record({ type: 'ready', time: new Date(), ...facts })
  else output.stdout.line(webhooks === undefined ? 'ready role=worker' : `ready webhooks=${webhooks}`)
}

function announceDashboard(origin: string, output: Output): void {
  step(output, 'Dashboard', origin + DASHBOARD_PATH)
  if (dashboardEnvironment().token !== undefined) return
  detail(
    output,
    'Reachable only from this machine, and not in production, until CLERK_SYNC_DASHBOARD_TOKEN is set.',
  )
}

function announceMetrics({ options, output }: Session, origin: string): void {
  step(output, 'Metrics', `${origin}/metrics`)
  if (options.metricsPort !== undefined || metricsEnvironment().token !== undefined) return
  detail(
    output,
    'Anyone who can reach this port can read it: set CLERK_SYNC_METRICS_TOKEN, or use --metrics-port.',
  )
}

function collectPath(text: string, earlier: readonly string[] = []): string[] {
  if (text.startsWith('/')) return [...earlier, text]
  throw new InvalidArgumentError('It must start with a slash.')
}
