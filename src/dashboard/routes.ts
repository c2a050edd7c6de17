/** Every route of the dashboard's interface, as `api.ts` describes it. */

import { ClerkSyncError } from '../errors.ts'
import { listAudit } from '../inspect/audit.ts'
import { readOverview } from '../inspect/overview.ts'
import { search } from '../inspect/search.ts'
import { readTraffic } from '../inspect/traffic.ts'
import type { Overview, RouteName, Session } from './api.ts'
import { checkHealth } from './checks.ts'
import { browse, type Call, type DashboardContext, type Endpoints } from './context.ts'
import { EVENT_ROUTES } from './event-routes.ts'
import { FAILURE_ROUTES } from './failure-routes.ts'
import { JOB_ROUTES } from './job-routes.ts'
import { SECURITY_HEADERS } from './page.ts'
import { reaches } from './principal.ts'
import { invalid, pageOf } from './request.ts'
import { RESOURCE_ROUTES } from './resource-routes.ts'
import { Router } from './router.ts'
import { SIMULATOR_ROUTES } from './simulator-routes.ts'

/** Signing in and out needs the access itself; `dashboard.ts` serves those. */
type ServedElsewhere = 'POST session' | 'DELETE session'

const OTHER_ROUTES: Endpoints<
  | 'GET session'
  | 'GET overview'
  | 'GET traffic'
  | 'GET live'
  | 'GET search'
  | 'GET health'
  | 'GET settings'
  | 'GET audit'
> = {
  'GET session': ['viewer', (call) => describeSession(call)],
  'GET overview': ['viewer', (call) => overviewOf(call)],
  'GET traffic': [
    'viewer',
    (call) => {
      const until = call.query.time('until') ?? new Date().toISOString()
      const since = call.query.time('since')
      if (since === undefined) throw invalid('since is missing')
      return browse(call, (reading) => readTraffic(reading, { since, until }))
    },
  ],
  'GET live': ['viewer', async (call) => stream(call)],
  'GET search': [
    'viewer',
    async (call) => {
      const text = call.query.required('q')
      const findsPersonal = !call.isMasking || reaches(call.principal.role, 'operator')
      return search(call.replica, text, { isMasked: call.isMasking, findsPersonal })
    },
  ],
  'GET health': [
    'viewer',
    async (call) => {
      const checks = await (call.checks?.() ?? checkHealth(call))
      return { at: new Date().toISOString(), checks }
    },
  ],
  'GET settings': [
    'admin',
    async ({ settings }) => {
      if (!settings) throw new ClerkSyncError('feature_unavailable', 'only `clerk-sync start` knows them all')
      return { settings: await settings() }
    },
  ],
  'GET audit': ['admin', (call) => browse(call, (reading) => listAudit(reading, pageOf(call.query)))],
}

const ROUTES: Endpoints<Exclude<RouteName, ServedElsewhere>> = {
  ...OTHER_ROUTES,
  ...EVENT_ROUTES,
  ...RESOURCE_ROUTES,
  ...FAILURE_ROUTES,
  ...JOB_ROUTES,
  ...SIMULATOR_ROUTES,
}

type AnyAnswer = (call: Call) => Promise<unknown>

export function createRouter(): Router<AnyAnswer> {
  const router = new Router<AnyAnswer>()
  for (const [name, [role, answer]] of Object.entries(ROUTES)) {
    router.add(name as RouteName, role, answer)
  }
  return router
}

export function overviewOf(context: DashboardContext): Promise<Overview> {
  const { sync, isMasking } = context
  const { resources } = sync.configuration
  const surroundings = {
    isEnabled: (name: string) => resources.has(name),
    canBackfill: sync.clerk.isConfigured,
    isMasked: isMasking,
  }
  return browse(context, (reading) => readOverview(reading, surroundings))
}

/** Which features a server has is known once it is asked. */
export async function describeSession(call: Call, canSignOut = hasCookie(call)): Promise<Session> {
  const { sync, principal, about, checks, settings, simulator } = call
  return {
    ...principal,
    canSignOut,
    ...about,
    instanceIds: [...sync.configuration.instanceIds],
    database: sync.location,
    isReadOnly: call.isReadOnly,
    isMasking: call.isMasking,
    features: {
      clerkApi: sync.clerk.isConfigured,
      handlers: (await sync.handlers.list()).length > 0,
      simulator: simulator !== undefined,
      doctor: checks !== undefined,
      settings: settings !== undefined,
    },
  }
}

function hasCookie({ principal }: Call): boolean {
  return principal.name === 'token'
}

function stream({ live, request }: Call): Response {
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies that buffer answers would hold the stream back.
    'x-accel-buffering': 'no',
  }
  return new Response(live.stream(request.signal), { headers })
}
