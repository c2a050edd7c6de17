/** What `dev` works with: a sync with real or simulated traffic, made of the options, and a database that is ready for it. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Configuration,
  loadConfiguration,
  requireSecrets,
  signingSecrets,
} from '../../configuration/configuration.ts'
import { lockFolder } from '../../database/folder-lock.ts'
import { formatDuration } from '../../duration.ts'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync } from '../../index.ts'
import { DeliveryCapture } from '../../server/delivery-capture.ts'
import type { ClerkSyncServer } from '../../server/server.ts'
import { Simulation } from '../../simulation/simulation.ts'
import { createSigningSecret } from '../../testing/index.ts'
import { isConfirmed } from '../confirm.ts'
import { DeliveryLog } from '../delivery-log.ts'
import { usageError } from '../failure.ts'
import type { DatabaseOptions } from '../options.ts'
import type { Output } from '../output.ts'
import { detail, logStrayRejections, schemaStep, step } from '../serving.ts'
import { Forwarding } from './forwarding.ts'
import type { TunnelKind, TunnelSession } from './tunnel-session.ts'

export interface DevOptions extends DatabaseOptions {
  /** `any` is the usual one, or a free one if that is taken. */
  readonly port: number | 'any'
  readonly host: string
  readonly simulate?: boolean
  readonly forwardTo?: URL
  readonly tunnel?: TunnelKind
  /** Milliseconds from one action of the simulated Clerk to the next. */
  readonly rate: number
  readonly seed?: number
  readonly fresh?: boolean
  readonly yes?: boolean
}

/** What the steps share. */
export interface Session {
  readonly options: DevOptions
  readonly output: Output
  readonly log: DeliveryLog
  readonly configuration: Configuration
  readonly hasSecret: boolean
  readonly secret: readonly string[]
  /** Absent if the traffic is real. */
  readonly simulation: Simulation | undefined
  readonly forwarding: Forwarding | undefined
  /** Its deliveries are forwarded. */
  readonly sync: ClerkSync
}

/** What is there once the server listens. */
export interface Running extends Session {
  readonly server: ClerkSyncServer
  readonly tunnelSession: TunnelSession
  readonly webhooks: string
  readonly dashboard: string
}

/** Apart from that of `clerk-sync start`: invented people do not belong among real ones. */
const SIMULATED_FOLDER = '.clerk-sync/dev'

export async function openSession(given: DevOptions, output: Output): Promise<Session> {
  const configuration = await loadConfiguration(given)
  const forwarding = given.forwardTo && new Forwarding(given.forwardTo, output)
  const capture = new DeliveryCapture(forwarding?.forward)
  const log = new DeliveryLog(output, (svixId) => toDelivery(capture, svixId))
  logStrayRejections(log)
  // An app could not verify what is signed with a secret that nobody else knows; nor would Clerk sign with it.
  const needsSecret = given.forwardTo !== undefined || given.tunnel !== undefined
  const configured = (needsSecret ? requireSecrets : signingSecrets)({ ...configuration.options, log })
  const hasSecret = configured.length > 0
  const secret = hasSecret ? configured.map((each) => each.secret) : [createSigningSecret()]
  const isSimulated = given.simulate === true || !hasSecret
  const simulation = isSimulated ? await startSimulation(given) : undefined
  const options = simulation ? { ...given, database: given.database ?? SIMULATED_FOLDER } : given
  const shown = simulation ? simulated(configuration, simulation, options, secret) : configuration
  try {
    // Simulated events are of an invented instance, which no secret is bound to.
    const signingSecret = hasSecret && !simulation ? configured : secret
    const sync = capture.on(createClerkSync({ ...shown.options, signingSecret, log }))
    return { options, output, log, configuration: shown, hasSecret, secret, simulation, forwarding, sync }
  } catch (error) {
    // It listens already, and would keep the process.
    await simulation?.close()
    throw error
  }
}

function startSimulation({ seed, rate }: DevOptions): Promise<Simulation> {
  return Simulation.start({ seed: seed ?? Math.floor(Math.random() * 1_000_000) + 1, rate })
}

/** The real Clerk has none of the simulated users, and must not be asked for them. */
function simulated(
  configuration: Configuration,
  { api }: Simulation,
  { database }: DevOptions,
  signingSecret: readonly string[],
): Configuration {
  const options: ClerkSyncOptions = {
    database,
    signingSecret,
    instanceId: [],
    secretKey: api.secretKey,
    apiUrl: api.url,
  }
  return {
    ...configuration,
    options: { ...configuration.options, ...options },
    originsOf: (option) => (option in options ? [] : configuration.originsOf(option)),
  }
}

/** With these, a line is what `clerk webhooks verify --delivery` takes. */
function toDelivery(capture: DeliveryCapture, svixId: string): object {
  const delivery = capture.find(svixId)
  if (delivery === undefined) return {}
  const { headers, body } = delivery
  return { svix_id: svixId, headers, body_b64: Buffer.from(body).toString('base64') }
}

export async function prepare(session: Session): Promise<void> {
  const { output, sync } = session
  await protectDatabase(session)
  const { kind, name, schema } = sync.location
  const startedAt = performance.now()
  const ran = await sync.migrate()
  const place = kind === 'embedded' ? `embedded Postgres in ${name}, kept between runs` : name
  step(output, 'Database', `${place} (${formatDuration(performance.now() - startedAt)})`)
  schemaStep(output, schema, ran)
  await startHandlers(session)
  printClerk(session)
}

async function protectDatabase({ options, output, sync, simulation }: Session): Promise<void> {
  const { kind, name } = sync.location
  if (options.fresh && kind !== 'embedded')
    throw usageError('--fresh empties only an embedded database.', 'Drop the schema yourself.')
  if (options.fresh) await empty(name)
  if (!simulation || kind === 'embedded' || isOnThisMachine(name)) return
  const what = `This writes simulated data to ${name}`
  if (await isConfirmed(what, 'Continue?', options.yes, output)) return
  throw usageError('Cancelled; nothing was written.', 'Omit --database to use an embedded database.')
}

async function empty(folder: string): Promise<void> {
  const release = await lockFolder(folder)
  await rm(join(folder, 'pgdata'), { recursive: true, force: true }).finally(release)
}

/** @param name `localhost:5432/app` */
function isOnThisMachine(name: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\//.test(name)
}

async function startHandlers({ output, sync }: Session): Promise<void> {
  const handlers = await sync.handlers.list()
  if (handlers.length === 0) return
  await sync.work()
  const texts = handlers.map(
    ({ name, patterns, pausedAt }) => `${patterns.join(' ')} → ${name}${pausedAt ? ' (paused)' : ''}`,
  )
  step(output, 'Handlers', texts.join(' · '))
}

function printClerk({ output, simulation, hasSecret }: Session): void {
  if (simulation) printSimulation(simulation, hasSecret, output)
  else step(output, 'Clerk', 'real events only')
}

function printSimulation({ users, seed }: Simulation, hasSecret: boolean, output: Output): void {
  const mark = output.stderr.colors.yellow('!')
  step(output, 'Clerk', `simulated, ${users} users to begin with, seed ${seed}`, mark)
  if (hasSecret) return
  detail(output, 'Real events: set CLERK_WEBHOOK_SIGNING_SECRET in .env.local, and start again with')
  detail(output, '--tunnel clerk.')
}
