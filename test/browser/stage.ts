/**
 * What the browser looks at: a simulated Clerk whose webhooks arrive at a real server with a real Postgres, handlers that
 * can be made to fail, and the dashboard. Also for the screenshots, so that it knows nothing of the tests.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Role } from '../../src/dashboard/api.ts'
import type { SimulatedTraffic } from '../../src/dashboard/context.ts'
import { createDashboardHandler, type DashboardOptions } from '../../src/dashboard/dashboard.ts'
import { type ClerkSync, createClerkSync, on } from '../../src/index.ts'
import {
  type BackendApi,
  createSigningSecret,
  createSimulatedClerk,
  createSimulatedSvix,
  type SimulatedClerk,
  sampleEvent,
  signDelivery,
  startBackendApi,
} from '../../src/testing/index.ts'

export const TOKEN = 'a-token-for-tests-only'
export const SIGNING_SECRET = createSigningSecret()
const BASE = '/ops'
/** The same dashboard for whomever the header `x-role` names: the host's own sign-in. */
const ROLES_BASE = '/roles'
const SVIX_FACTOR = 0.001
/** The runs of a failing handler are to be seen while they wait. */
const LATER_SECONDS = 600

export interface Stage extends AsyncDisposable {
  /** The dashboard's address, with a slash at its end. */
  readonly url: string
  /** Of the one with the host's own sign-in. */
  readonly rolesUrl: string
  readonly sync: ClerkSync
  readonly clerk: SimulatedClerk
  readonly api: BackendApi
  /** The system that the handler `syncCrm` tells. */
  readonly crm: { isDown: boolean }
  /** Delivers events, as badly as Svix may. */
  deliver(events: ReturnType<SimulatedClerk['act']>): Promise<void>
  /** Lets so many things happen in the simulated Clerk, and delivers what it tells of them. */
  live(actions: number): Promise<void>
}

export interface StageOptions {
  readonly database: string
  readonly schema: string
  readonly dashboard?: DashboardOptions
}

export async function openStage({ database, schema, dashboard = {} }: StageOptions): Promise<Stage> {
  const clerk = createSimulatedClerk({ seed: 7, startAt: Date.now() - 3_600_000 })
  const api = await startBackendApi(clerk, { rateLimit: null })
  const crm = { isDown: false }
  const sync = createClerkSync({
    signingSecret: SIGNING_SECRET,
    database,
    schema,
    instanceId: clerk.instanceId,
    secretKey: api.secretKey,
    apiUrl: api.url,
    handlers: handlersOf(crm),
    log: SILENT,
  })
  await sync.migrate()
  await sync.work()
  const handler = createDashboardHandler(sync, {
    basePath: BASE,
    token: TOKEN,
    environment: 'development',
    webhookPath: '/webhooks/clerk',
    simulator: {
      ...simulatorOf(sync, clerk.instanceId),
      traffic: trafficOf(async () => {
        const events = clerk.act('createUser')
        await deliver(events)
        return events.length
      }),
    },
    ...dashboard,
  })
  const roles = createDashboardHandler(sync, { basePath: ROLES_BASE, authorize: byHeader })
  const { server, origin } = await serve((request) => {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith(BASE)) return handler(request, { remoteAddress: '127.0.0.1' })
    return pathname.startsWith(ROLES_BASE) ? roles(request) : sync.fetch(request)
  })
  const deliver: Stage['deliver'] = async (events) => {
    const svix = createSimulatedSvix({ url: `${origin}/webhooks/clerk`, secret: SIGNING_SECRET, ...BADLY })
    svix.send(events)
    await svix.settled()
    await svix.stop()
  }
  return {
    url: `${origin}${BASE}/`,
    rolesUrl: `${origin}${ROLES_BASE}/`,
    sync,
    clerk,
    api,
    crm,
    deliver,
    live: (actions) => deliver(Array.from({ length: actions }, () => clerk.act()).flat()),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await sync.close({ handlerGraceMs: 500 })
      await api.close()
    },
  }
}

const BADLY = {
  timeScale: SVIX_FACTOR,
  duplicates: 0.05,
  reorder: 0.1,
  forgeries: 0.02,
  concurrency: 4,
} as const
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

function byHeader(request: Request) {
  const role = request.headers.get('x-role') as Role | null
  return role && { name: `some ${role}`, role }
}

function handlersOf(crm: { readonly isDown: boolean }) {
  const syncCrm = () => {
    if (!crm.isDown) return
    const error = new Error('connect ECONNREFUSED 10.0.3.7:443')
    // Of a team's own code, and the same on every machine.
    error.stack = `${error}\n    at syncCrm (handlers/crm.ts:41:9)`
    throw error
  }
  return [
    on(['user.*', 'organization.*'], syncCrm, { name: 'syncCrm', retries: [LATER_SECONDS] }),
    on('user.created', () => undefined, { name: 'welcomeEmail' }),
  ]
}

function simulatorOf(sync: ClerkSync, instanceId: string): NonNullable<DashboardOptions['simulator']> {
  const types = ['user.created', 'user.updated', 'organization.created'] as const
  return {
    types: types.map((type) => ({ type, sample: sampleEvent(type).data })),
    send: async (type, data) => {
      const { body, headers } = signDelivery(
        { ...sampleEvent('user.created'), instance_id: instanceId, type, data } as never,
        { secret: SIGNING_SECRET },
      )
      const receipt = await sync.receive(body, headers)
      return { eventId: receipt.svixId, outcome: receipt.outcome }
    },
  }
}

/** Nothing happens by itself on the stage; that is remembered, and one scenario is played. */
function trafficOf(play: () => Promise<number>): SimulatedTraffic {
  const state = { isRunning: false, perSecond: 1 }
  return {
    get isRunning() {
      return state.isRunning
    },
    get perSecond() {
      return state.perSecond
    },
    scenarios: [{ name: 'signup', text: 'Somebody signs up' }],
    change: (to) => void Object.assign(state, to),
    play,
  }
}

async function serve(
  fetch: (request: Request) => Promise<Response>,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(getRequestListener((request) => fetch(request)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
