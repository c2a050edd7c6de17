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
import { Preparation } from '../../server/preparation.ts'
import type { ReconcileScheduleOptions } from '../../server/reconcile-schedule.ts'
import {
  DASHBOARD_PATH,
  DEFAULT_HOST,
  DEFAULT_PORT,
  startServer,
  WEBHOOK_PATHS,
} from '../../server/server.ts'
import { DeliveryLog } from '../delivery-log.ts'
import { EXIT } from '../failure.ts'
import { Interrupted, type Interruption, listenForInterruption } from '../interruption.ts'
import { type DatabaseOptions, parseDuration, withDatabaseOptions, withExamples } from '../options.ts'
import { Output } from '../output.ts'
import { detail, logStrayRejections, originOf, parseHost, parsePort, printSummary, step } from '../serving.ts'

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
  withDatabaseOptions(command)
    .addOption(
      new Option('--port <number>', 'TCP port').env('PORT').default(DEFAULT_PORT).argParser(parsePort),
    )
    .addOption(
      new Option('--host <address>', 'address to listen on')
        .env('HOST')
        .default(DEFAULT_HOST)
        .argParser(parseHost),
    )
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
        .argParser(parseInterval),
    )
    .addOption(
      new Option('--shutdown-delay <duration>', 'after SIGTERM, serve this long while /readyz answers 503')
        .env('CLERK_SYNC_SHUTDOWN_DELAY')
        .default(0, 'none')
        .argParser(parseDelay),
    )
    .option('--metrics', 'serve /metrics for Prometheus; needs @prometheus-io/client')
    .addOption(
      new Option('--metrics-port <number>', 'serve /metrics on a port of its own')
        .env('CLERK_SYNC_METRICS_PORT')
        .argParser(parsePort),
    )
    .option('--no-dashboard', 'serve no dashboard')
    .option('--no-migrate', 'do not migrate the tables')
    .action((_, self: Command) => start(self.optsWithGlobals()))
}

const RECONCILE_EVERY_MS = 6 * 3_600_000

/** As in `address.ts`, an empty variable is none. */
function parseInterval(text: string, previous: number): number {
  if (text === '') return previous
  return text === 'off' ? 0 : parseDuration(text)
}

function parseDelay(text: string, previous: number): number {
  return text === '' ? previous : parseDuration(text)
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
  step(
    output,
    'Database',
    kind === 'embedded' ? `embedded Postgres in ${name} (${elapsed})` : `${name} (${elapsed})`,
  )
  if (kind === 'embedded') {
    detail(output, 'Its data survives a crash of this process, but not a power loss.')
    detail(output, 'For production, set DATABASE_URL to a Postgres.')
  }
  step(output, 'Schema', ran.length > 0 ? `${schema}, migrated: ${ran.join(', ')}` : `${schema}, up to date`)
}

/** @returns whether it was ever ready */
async function serve(session: Session, interruption: Interruption): Promise<boolean> {
  const { options, output, sync } = session
  const webhookPaths = options.role === 'worker' ? [] : (options.path ?? WEBHOOK_PATHS)
  const preparation = prepare(session)
  const dashboard = options.dashboard ? openDashboard(session, webhookPaths[0]) : undefined
  const { port, host, metricsPort, shutdownDelay: shutdownDelayMs } = options
  const metrics = await openMetrics(session)
  const reconcile = scheduleOf(session)
  const maintenance = {
    onError: ({ code, message }: ClerkSyncError) => output.note(`  ! maintenance: ${code}: ${message}`),
  }
  const server = await startServer({
    sync,
    port,
    host,
    webhookPaths,
    dashboard,
    preparation,
    reconcile,
    maintenance,
    shutdownDelayMs,
    metrics,
    metricsPort,
  })
  const startedAt = performance.now()
  const isReady = await preparedBefore(interruption, preparation, sync).catch(async (error) => {
    await server.stop()
    throw error
  })
  if (isReady) {
    if (dashboard) announceDashboard(session, server.port)
    announceMetrics(session, server.metricsPort)
    const origin = originOf(host, server.port)
    announce(
      session,
      webhookPaths.map((path) => origin + path),
    )
  }
  await interruption.happened
  if (server.underWay > 0) output.note(`  Finishing requests: ${server.underWay} …`)
  const end = await server.stop()
  printSummary({ outcomes: session.log.outcomes, answers: server.answers, startedAt }, output)
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

function announceMetrics({ options, output }: Session, port: number | undefined): void {
  if (port === undefined) return
  step(output, 'Metrics', `${originOf(options.host, port)}/metrics`)
  const isOpen = options.metricsPort === undefined && metricsEnvironment().token === undefined
  if (isOpen)
    detail(
      output,
      'Anyone who can reach this port can read it: set CLERK_SYNC_METRICS_TOKEN, or use --metrics-port.',
    )
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

function announceDashboard({ options, output }: Session, port: number): void {
  step(output, 'Dashboard', originOf(options.host, port) + DASHBOARD_PATH)
  if (dashboardEnvironment().token === undefined) {
    detail(
      output,
      'Reachable only from this machine, and not in production, until CLERK_SYNC_DASHBOARD_TOKEN is set.',
    )
  }
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
function announce({ options, output, sync }: Session, urls: readonly string[]): void {
  const [webhooks] = urls
  urls.forEach((url, index) => {
    if (index === 0) step(output, 'Webhooks', url)
    else detail(output, url)
  })
  if (output.json)
    output.stdout.record({
      type: 'ready',
      time: new Date(),
      role: options.role,
      webhooks,
      database: sync.location,
    })
  else output.stdout.line(webhooks === undefined ? 'ready role=worker' : `ready webhooks=${webhooks}`)
}

function collectPath(text: string, earlier: readonly string[] = []): string[] {
  if (text.startsWith('/')) return [...earlier, text]
  throw new InvalidArgumentError('It must start with a slash.')
}
