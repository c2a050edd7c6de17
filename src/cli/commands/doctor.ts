/** `clerk-sync doctor`: looks at everything that can be wrong, and names what is. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { createPortalLink } from '../../clerk/api/portal.ts'
import { type Config, resolveConfig } from '../../config.ts'
import { ClerkSyncError } from '../../errors.ts'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync } from '../../index.ts'
import { createSigningSecret } from '../../testing/sign.ts'
import { parseSecret } from '../../webhook/secret.ts'
import { type Configuration, loadConfiguration } from '../configuration.ts'
import { isConfirmed } from '../confirm.ts'
import {
  type Check,
  type CheckedResult,
  type Fix,
  failed,
  GROUPS,
  runChecks,
  type Status,
} from '../doctor/check.ts'
import { clerkChecks } from '../doctor/clerk.ts'
import { clockChecks } from '../doctor/clock.ts'
import { configurationChecks } from '../doctor/configuration.ts'
import { databaseCheck, ExaminedDatabase } from '../doctor/database.ts'
import { handlerChecks } from '../doctor/handlers.ts'
import { maintenanceChecks } from '../doctor/maintenance.ts'
import { middlewareCheck, Project, projectCheck } from '../doctor/project.ts'
import { routeCheck } from '../doctor/route.ts'
import { trafficChecks } from '../doctor/traffic.ts'
import { EXIT, listenForInterruption, remedyLines, usageError } from '../failure.ts'
import { silentLogger, withSync } from '../open.ts'
import {
  type DatabaseOptions,
  parseDuration,
  parseUrl,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'
import { printable } from '../text.ts'

interface DoctorOptions extends OutputOptions, DatabaseOptions {
  readonly url?: URL
  readonly timeout: number
  readonly onlyProblems?: boolean
  readonly offline?: boolean
  readonly fix?: boolean
  readonly portal?: boolean
  readonly watch?: boolean
}

/** Svix waits this long. */
const TIMEOUT_MS = 15_000
const WATCH_EVERY_MS = 5_000
const PORTAL_TIMEOUT_MS = 10_000

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync doctor', 'configuration, database, clock and traffic'],
    [
      'clerk-sync doctor --url https://app.example.com/api/webhooks/clerk',
      'also test the route from outside',
    ],
    ['clerk-sync doctor --portal', 'also print a link to the webhooks in Svix’s portal'],
    ['clerk-sync doctor --only-problems --json', 'for a script; exits with 3 if there are any'],
  ])
  withDatabaseOptions(command)
    .option('--url <address>', 'the webhook route as Clerk calls it', parseUrl)
    .option('--timeout <duration>', 'time limit for the route’s answer (15s)', parseDuration, TIMEOUT_MS)
    .option('--only-problems', 'hide passing checks')
    .option('--offline', 'do not call Clerk')
    .addOption(
      new Option('--portal', 'print a secret sign-in link to the webhooks of the instance').conflicts([
        'offline',
        'watch',
      ]),
    )
    .option('--fix', 'offer safe repairs, then check again')
    .addOption(new Option('--watch', 'check every five seconds and report changes').conflicts('fix'))
    .action((_, self: Command) => doctor(self.optsWithGlobals()))
}

async function doctor(options: DoctorOptions): Promise<void> {
  const output = new Output(options)
  if (options.fix && !output.canAsk)
    throw usageError(
      '--fix asks before each fix, and nobody is there to answer.',
      'Apply the remedies by hand.',
    )
  if (options.watch) return watch(options, output)
  const results = await examine(options)
  report(results, options, output)
  if (options.portal) await printPortalLink(options, output)
  if (options.fix && (await fix(results, options, output))) report(await examine(options), options, output)
}

/** What can be fixed, if it is wanted; whether anything was. */
async function fix(
  results: readonly CheckedResult[],
  options: DoctorOptions,
  output: Output,
): Promise<boolean> {
  const fixes = results.flatMap((result) => result.fix ?? [])
  if (fixes.length === 0) output.note('\nThere is no safe automatic repair.')
  const wanted: Fix[] = []
  for (const each of fixes) if (await isConfirmed(each.what, 'Do it?', false, output)) wanted.push(each)
  if (wanted.length === 0) return false
  await withSync(options, async (sync) => {
    for (const each of wanted) await each.apply(sync)
  })
  output.note('')
  return true
}

/** Anyone who has the link can change the endpoints, so that it is printed only to stdout, and only on request. */
async function printPortalLink(options: DoctorOptions, output: Output): Promise<void> {
  const { secretKey, apiUrl, apiVersion } = await resolve(await loadConfiguration(options))
  if (secretKey === '') throw new ClerkSyncError('api_key_missing')
  const url = await createPortalLink({ secretKey, apiUrl, apiVersion, timeoutMs: PORTAL_TIMEOUT_MS })
  if (url === null)
    return output.note(
      '\nThe Clerk instance has no webhooks yet: create an endpoint in Clerk Dashboard → Webhooks.',
    )
  if (output.json) output.stdout.record({ type: 'portal', url })
  else output.stdout.line(url)
  output.note('  The link signs in once without a password. Keep it secret.')
}

/** Again whenever something else is found. */
async function watch(options: DoctorOptions, output: Output): Promise<void> {
  const { signal } = listenForInterruption()
  let reported: string | undefined
  while (!signal.aborted) {
    const results = await examine(options)
    const essence = results.map(({ check, status, code }) => `${check} ${status} ${code}`).join()
    if (essence !== reported) report(results, options, output)
    reported = essence
    await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
  process.exitCode = 0
}

function report(results: readonly CheckedResult[], options: DoctorOptions, output: Output): void {
  const shown = options.onlyProblems ? results.filter(({ status }) => status !== 'passed') : results
  const count = (wanted: Status) => results.filter(({ status }) => status === wanted).length
  const counts = {
    passed: count('passed'),
    warnings: count('warning'),
    problems: count('problem'),
    unclear: count('unclear'),
  }
  if (output.json) {
    for (const { fix, ...result } of shown)
      output.stdout.record({ type: 'result', ...result, ...(fix && { fix: fix.what }) })
    output.stdout.record({ type: 'summary', ...counts })
  } else printResults(shown, output.stdout)
  const unclear = counts.unclear > 0 ? ` · ${counts.unclear} unclear` : ''
  output.note(
    `\n${counts.problems} problems · ${counts.warnings} warnings${unclear} · ${counts.passed} passed`,
  )
  process.exitCode = counts.problems > 0 ? EXIT.foundProblems : 0
}

/**
 * What cannot be read does not keep the rest from being looked at.
 * @param given of a server that runs; else it is loaded
 * @param running the server’s own, since an embedded database has one user; else one is opened
 */
export async function examine(
  options: DoctorOptions,
  given?: Configuration,
  running?: ClerkSync,
): Promise<CheckedResult[]> {
  const unreadable: CheckedResult[] = []
  const orDefaults = <Value>(error: unknown, value: Value): Value => {
    if (!(error instanceof ClerkSyncError)) throw error
    unreadable.push({ group: 'configuration', check: 'options', ...failed(error) })
    return value
  }
  const configuration =
    given ?? (await loadConfiguration(options).catch((error) => orDefaults(error, NOTHING)))
  const config = await resolve(configuration).catch((error) => orDefaults(error, resolveRest(configuration)))
  return [...unreadable, ...(await runAll(configuration, config, options, running))]
}

const NOTHING: Configuration = { options: {}, path: undefined, originsOf: () => [] }

async function resolve({ options }: Configuration): Promise<Config> {
  return resolveConfig({ ...options, log: silentLogger }, process.env)
}

/** Without the options that can be wrong in themselves. */
function resolveRest({ options: { signingSecret, database } }: Configuration): Config {
  return resolveConfig({ signingSecret, database, log: silentLogger }, {})
}

async function runAll(
  configuration: Configuration,
  config: Config,
  options: DoctorOptions,
  running: ClerkSync | undefined,
): Promise<CheckedResult[]> {
  const sync = running ?? createClerkSync(patientOptions(config))
  const examined = new ExaminedDatabase(sync)
  const project = new Project(process.cwd())
  const isOffline = options.offline === true
  // Not for a page that is reloaded, nor every five seconds.
  const readsEndpoints = running === undefined && !options.watch
  const checks: Check[] = [
    ...configurationChecks(configuration, config),
    databaseCheck(examined),
    ...maintenanceChecks(examined),
    ...clockChecks(examined, config, isOffline),
    ...clerkChecks(examined, config, { isOffline, address: options.url, readsEndpoints }),
    projectCheck(project),
    middlewareCheck(project),
    ...trafficChecks(examined, config),
    ...handlerChecks(examined),
  ]
  const { url, timeout: timeoutMs } = options
  if (url !== undefined) checks.push(routeCheck({ url, timeoutMs, project, secret: usableSecret(config) }))
  try {
    return await runChecks(checks)
  } finally {
    if (running === undefined) await sync.close()
  }
}

/** What the checks look at. It receives nothing, so that nobody need know its secret. */
function patientOptions({ database, schema, handlers }: Config): ClerkSyncOptions {
  return { database, schema, handlers, signingSecret: createSigningSecret(), log: silentLogger }
}

function usableSecret({ signingSecrets }: Config): string | undefined {
  return signingSecrets.find(({ secret }) => {
    try {
      return parseSecret(secret)
    } catch {
      return false
    }
  })?.secret
}

function printResults(results: readonly CheckedResult[], pen: Pen): void {
  for (const group of GROUPS) {
    const own = results.filter((result) => result.group === group)
    if (own.length > 0) pen.line(pen.colors.bold(`${group.charAt(0).toUpperCase()}${group.slice(1)}`))
    for (const result of own) for (const line of linesOf(result, pen)) pen.line(line)
  }
}

const MARKS = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  problem: ['✗', 'red'],
  unclear: ['?', 'yellow'],
} as const

function linesOf({ status, code, message, remedy }: CheckedResult, pen: Pen): string[] {
  const [mark, color] = MARKS[status]
  const name = code === null ? '' : `${pen.colors.bold(code)}  `
  const line = `  ${pen.colors[color](mark)} ${name}${printable(message)}`
  return remedy === undefined ? [line] : [line, ...remedyLines(remedy, 4, pen)]
}
