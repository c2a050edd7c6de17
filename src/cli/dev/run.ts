/** What `clerk-sync dev` does, apart from its options: imported once its first line is printed, because it takes a second. */

import { once } from 'node:events'
import { dashboardEnvironment } from '../../config.ts'
import { openDashboard } from '../../doctor/dashboard.ts'
import { formatDuration } from '../../duration.ts'
import { ClerkSyncError } from '../../index.ts'
import { DEFAULT_PORT } from '../../server/defaults.ts'
import { type ClerkSyncServer, DASHBOARD_PATH, startServer, WEBHOOK_PATHS } from '../../server/server.ts'
import { createSimulator } from '../../simulation/simulator.ts'
import { Interrupted, type Interruption } from '../interruption.ts'
import type { Output } from '../output.ts'
import { detail, isLoopback, originOf, printSummary, step } from '../serving.ts'
import { controlsOf } from './keys.ts'
import { type DevOptions, openSession, prepare, type Running, type Session } from './session.ts'
import { TunnelSession } from './tunnel-session.ts'

/** Everything that exists before the first line is printed. */
export interface Beginning {
  readonly output: Output
  readonly interruption: Interruption
  readonly startedAt: number
}

export async function runDev(
  options: DevOptions,
  { output, interruption, startedAt }: Beginning,
): Promise<void> {
  const session = await openSession(options, output)
  try {
    await prepare(session)
    if (!interruption.signal.aborted) await run(session, interruption.signal, startedAt)
  } finally {
    await session.simulation?.close()
    await session.sync.close()
  }
  // Orchestrators send SIGTERM to end a service, and people press q: that is a success.
  if (interruption.signal.aborted && (await interruption.happened) === 'SIGINT')
    throw new Interrupted('SIGINT')
}

async function run(session: Session, interrupted: AbortSignal, startedAt: number): Promise<void> {
  const { options, output, log, secret, simulation, forwarding } = session
  const quitting = new AbortController()
  const leaving = AbortSignal.any([interrupted, quitting.signal])
  const running = await serve(session)
  const { server, tunnelSession, webhooks } = running
  announce(running, startedAt)
  const controls = output.isInteractive ? controlsOf(running, () => quitting.abort()) : undefined
  // At once, so that the terminal's own Ctrl-C works while what is under way ends.
  leaving.addEventListener('abort', () => controls?.stop(), { once: true })
  try {
    if (options.tunnel) await tunnelSession.open(options.tunnel)
    await Promise.all([
      ended(leaving),
      simulation?.run({ url: webhooks, secret }, leaving),
      forwarding?.watch(leaving),
    ])
  } finally {
    controls?.stop()
    output.note('  Stopping …')
    await tunnelSession.close()
    await forwarding?.finished()
    await server.stop()
  }
  printSummary({ outcomes: log.outcomes, answers: server.answers, startedAt }, output)
}

async function serve(session: Session): Promise<Running> {
  const { options, output, sync, secret, simulation } = session
  const dashboard = openDashboard(
    {
      ...session,
      environment: simulation ? 'simulated' : 'development',
      simulator: createSimulator(sync, secret, simulation),
    },
    WEBHOOK_PATHS[0],
  )
  const server = await listen({ sync, dashboard, host: options.host }, options.port, output)
  const origin = originOf(options.host, server.port)
  const webhooks = `${origin}${WEBHOOK_PATHS[0]}`
  const tunnelSession = new TunnelSession(new URL(webhooks), output)
  return { ...session, server, tunnelSession, webhooks, dashboard: `${origin}${DASHBOARD_PATH}` }
}

type Served = Pick<Parameters<typeof startServer>[0], 'sync' | 'dashboard' | 'host'>

/** A port that was asked for is that or none. */
async function listen(served: Served, port: DevOptions['port'], output: Output): Promise<ClerkSyncServer> {
  if (port !== 'any') return startServer({ ...served, port })
  try {
    return await startServer(served)
  } catch (error) {
    const isTaken = error instanceof ClerkSyncError && error.code === 'port_taken'
    if (!isTaken) throw error
    output.note(`  ! Port ${DEFAULT_PORT} is in use; using another port.`)
    return startServer({ ...served, port: 0 })
  }
}

/** In every output format, the first line of data says that the server is ready. */
function announce(running: Running, startedAt: number): void {
  const { options, output, sync, simulation, webhooks, dashboard } = running
  step(output, 'Webhooks', webhooks)
  step(output, 'Dashboard', dashboard)
  if (!isLoopback(options.host) && dashboardEnvironment().token === undefined)
    detail(output, 'Reachable only from this machine until CLERK_SYNC_DASHBOARD_TOKEN is set.')
  if (options.forwardTo) step(output, 'Forward', String(options.forwardTo))
  output.note(`\n  Ready in ${formatDuration(performance.now() - startedAt)}\n`)
  const simulated = simulation !== undefined
  const facts = { webhooks, dashboard, simulated, seed: simulation?.seed, database: sync.location }
  if (output.json) output.stdout.record({ type: 'ready', time: new Date(), ...facts })
  else output.stdout.line(`ready webhooks=${webhooks} dashboard=${dashboard}`)
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
