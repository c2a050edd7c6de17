/** Looks at everything that can be wrong: for `clerk-sync doctor`, for the dashboard and for agents. */

import { type Config, resolveConfig } from '../config.ts'
import { type Configuration, type Flags, loadConfiguration } from '../configuration/configuration.ts'
import { ClerkSyncError } from '../errors.ts'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync } from '../index.ts'
import { silentLogger } from '../log.ts'
import { createSigningSecret } from '../testing/sign.ts'
import { parseSecret } from '../webhook/secret.ts'
import { type Check, type CheckedResult, failed, runChecks } from './check.ts'
import { clerkChecks } from './clerk.ts'
import { clockChecks } from './clock.ts'
import { configurationChecks } from './configuration.ts'
import { databaseCheck, ExaminedDatabase } from './database.ts'
import { handlerChecks } from './handlers.ts'
import { maintenanceChecks } from './maintenance.ts'
import { middlewareCheck, Project, projectCheck } from './project.ts'
import { routeCheck } from './route.ts'
import { trafficChecks } from './traffic.ts'

export interface ExamineOptions extends Flags {
  /** The webhook route as Clerk calls it; it is tested if it is given. */
  readonly url?: URL | undefined
  /** For the route's answer, in milliseconds. */
  readonly timeout: number
  readonly offline?: boolean | undefined
  /** Examined again and again. */
  readonly watch?: boolean | undefined
}

/**
 * What cannot be read does not keep the rest from being looked at.
 * @param given of a server that runs; else it is loaded
 * @param running the server’s own, since an embedded database has one user; else one is opened
 */
export async function examine(
  options: ExamineOptions,
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
  const config = await resolveOptions(configuration).catch((error) =>
    orDefaults(error, resolveRest(configuration)),
  )
  return [...unreadable, ...(await runAll(configuration, config, options, running))]
}

const NOTHING: Configuration = { options: {}, path: undefined, originsOf: () => [] }

/** Rejects for options that are wrong in themselves. */
export async function resolveOptions({ options }: Configuration): Promise<Config> {
  return resolveConfig({ ...options, log: silentLogger }, process.env)
}

/** Without the options that can be wrong in themselves. */
function resolveRest({ options: { signingSecret, database } }: Configuration): Config {
  return resolveConfig({ signingSecret, database, log: silentLogger }, {})
}

async function runAll(
  configuration: Configuration,
  config: Config,
  options: ExamineOptions,
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
