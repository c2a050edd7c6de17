/** The dashboard as one web handler, for any framework that speaks `fetch`. `clerk-sync/dashboard` */

import { dashboardEnvironment } from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import { type ClerkSync, type SyncSource, sharedClerkSync } from '../index.ts'
import { consoleLogger } from '../log.ts'
import { RefusalLog } from '../refusal-log.ts'
import { toClerkSyncError } from '../reply.ts'
import { readVersion } from '../version.ts'
import { Access, type Authorize, type Connection } from './access.ts'
import type { Check, Problem, Session, Setting } from './api.ts'
import { AuditLog } from './audit.ts'
import type { Call, DashboardContext, Simulator } from './context.ts'
import { Live } from './live.ts'
import { isSafe, requireOwnPage } from './origin.ts'
import { type Assets, SECURITY_HEADERS, serveAsset, servePage, serveProblem } from './page.ts'
import { type Principal, reaches } from './principal.ts'
import { Fields, readBody } from './request.ts'
import { createRouter, describeSession, overviewOf } from './routes.ts'
import { Work } from './work.ts'

export interface DashboardOptions {
  /**
   * Where it is mounted.
   * @default "/dashboard"
   */
  readonly basePath?: string | undefined
  /**
   * A shared token that signs in as an administrator: at least 16 characters.
   * @default CLERK_SYNC_DASHBOARD_TOKEN
   */
  readonly token?: string | undefined
  /**
   * Your own sign-in: says who sent a request and in which role, or null for nobody.
   * `clerkSignIn` of this module does it with Clerk's sessions.
   */
  readonly authorize?: Authorize | undefined
  /** Where people sign in, if `authorize` is given. */
  readonly signInUrl?: string | undefined
  /** Names under which the server is reached, beside localhost. Needed only without a token and `authorize`. */
  readonly allowedHosts?: readonly string[] | undefined
  /**
   * Show everything and change nothing.
   * @default false
   */
  readonly readOnly?: boolean | undefined
  /**
   * Hide personal data until somebody reveals it, which the audit log records.
   * @default true, except for simulated data that only this machine can see
   */
  readonly maskPersonalData?: boolean | undefined
  /**
   * What kind of installation it is. In production nobody is let in without a token or `authorize`.
   * @default by NODE_ENV
   */
  readonly environment?: Session['environment'] | undefined
  /** The path of the webhook route, to be shown. */
  readonly webhookPath?: string | undefined
  /** The checks of the health page. Default: those that can be made from within an app. */
  readonly checks?: (() => Promise<readonly Check[]>) | undefined
  /** The options in force, for the settings page. Default: the page is off. */
  readonly settings?: (() => readonly Setting[] | Promise<readonly Setting[]>) | undefined
  /** Sends sample events, and lets things happen, for the simulator's page. Default: the page is off. */
  readonly simulator?: Simulator | undefined
  /** The files of the browser app, for tests. */
  readonly assets?: Assets | undefined
  /** The clock, in milliseconds since 1970. For tests. */
  readonly now?: (() => number) | undefined
}

/**
 * Answers the requests below its path; never throws.
 * @param connection what the server knows of the connection
 */
export type DashboardHandler = (request: Request, connection?: Connection) => Promise<Response>

/**
 * Creates the dashboard.
 *
 * Without `token` and `authorize` it answers this machine only, and in production nobody.
 *
 * @param sync a sync, or a function that makes it at the first request, so that a build needs neither secrets nor a
 * database; default: the one that the process shares
 *
 * @example
 * // app/dashboard/[[...path]]/route.ts
 * const handler = createDashboardHandler(sharedClerkSync, { authorize: clerkSignIn() })
 * export { handler as GET, handler as POST, handler as DELETE }
 *
 * @throws {ClerkSyncError} `option_invalid`, unless `sync` is a function: then the log says it at the first request
 */
export function createDashboardHandler(
  sync: SyncSource = sharedClerkSync,
  options: DashboardOptions = {},
): DashboardHandler {
  const create = () => new Dashboard(typeof sync === 'function' ? sync() : sync, options)
  if (typeof sync === 'function') return answerOnceMade(create)
  const dashboard = create()
  return (request, connection = {}) => dashboard.answer(request, connection)
}

/** Until the dashboard can be made, requests are answered 503. */
function answerOnceMade(create: () => Dashboard): DashboardHandler {
  const failures = new RefusalLog(consoleLogger)
  let dashboard: Dashboard | undefined
  return async (request, connection = {}) => {
    try {
      dashboard ??= create()
    } catch (error) {
      failures.add(toClerkSyncError(error))
      const { status, message, remedy } = new ClerkSyncError('not_configured')
      return serveProblem(status, message, remedy)
    }
    return dashboard.answer(request, connection)
  }
}

const MIN_TOKEN_LENGTH = 16

class Dashboard {
  readonly #base: string
  readonly #access: Access
  readonly #context: DashboardContext
  readonly #router = createRouter()
  readonly #assets: Assets | undefined

  constructor(sync: ClerkSync, options: DashboardOptions) {
    const defaults = dashboardEnvironment()
    const { environment = defaults.environment, now = Date.now } = options
    this.#base = toBase(options.basePath ?? '/dashboard')
    this.#assets = options.assets
    this.#access = new Access({
      token: requireLong(options.token ?? defaults.token),
      authorize: options.authorize,
      signInUrl: options.signInUrl,
      allowedHosts: options.allowedHosts ?? [],
      isProduction: environment === 'production',
      path: this.#base,
      now,
    })
    const isMadeUp = environment === 'simulated' && !this.#access.isGuarded
    const isMasking = options.maskPersonalData ?? !isMadeUp
    const source = { database: sync.database, schema: sync.location.schema }
    const live = new Live({ source, isMasked: isMasking, overview: () => overviewOf(this.#context) })
    this.#context = {
      sync,
      source,
      replica: { ...source, database: sync.reads },
      live,
      work: new Work(sync),
      audit: new AuditLog(sync.database),
      isMasking,
      isReadOnly: options.readOnly ?? false,
      checks: options.checks,
      settings: options.settings,
      simulator: options.simulator,
      about: { version: readVersion(), environment, webhookPath: options.webhookPath ?? null },
    }
  }

  async answer(request: Request, connection: Connection): Promise<Response> {
    const path = this.#pathOf(request)
    const isApi = path?.startsWith('api/') === true
    try {
      if (path === undefined) throw new ClerkSyncError('route_unknown')
      this.#access.admit(request, connection)
      return isApi
        ? await this.#answerCall(request, path.slice('api/'.length), connection)
        : await this.#answerPage(request, path)
    } catch (error) {
      return this.#refuse(toClerkSyncError(error), isApi)
    }
  }

  /** Within the dashboard; undefined outside of it. The path without the slash at its end is the dashboard as well. */
  #pathOf({ url }: Request): string | undefined {
    const { pathname } = new URL(url)
    if (`${pathname}/` === this.#base) return ''
    return pathname.startsWith(this.#base) ? pathname.slice(this.#base.length) : undefined
  }

  async #answerPage(request: Request, path: string): Promise<Response> {
    if (!isSafe(request)) throw new ClerkSyncError('route_unknown')
    const assets = this.#assets ?? (await import('./assets.ts')).ASSETS
    return serveAsset(assets, path, request) ?? servePage(assets, this.#base)
  }

  async #answerCall(request: Request, path: string, connection: Connection): Promise<Response> {
    if (!isSafe(request)) requireOwnPage(request)
    if (path === 'session' && request.method === 'POST') return this.#signIn(request, connection)
    if (path === 'session' && request.method === 'DELETE') return this.#signOut(request)
    const principal = await this.#access.identify(request, connection)
    // Asking with HEAD is asking, without the answer.
    const found = this.#router.find(request.method === 'HEAD' ? 'GET' : request.method, path)
    if (found === undefined) throw new ClerkSyncError('route_unknown', path.slice(0, 200))
    if (!('route' in found)) return methodNotAllowed(found)
    const { route, names } = found
    if (!reaches(principal.role, route.role === 'anyone' ? 'viewer' : route.role)) {
      throw new ClerkSyncError('role_insufficient', `it takes the role ${route.role}`)
    }
    const call = await this.#toCall(request, principal, names)
    if (this.#context.isReadOnly && changes(request, path)) {
      throw new ClerkSyncError('feature_unavailable', 'it is read only')
    }
    const answer = await route.handle(call)
    return answer instanceof Response ? answer : json(200, answer)
  }

  async #toCall(request: Request, principal: Principal, names: Call['names']): Promise<Call> {
    const query = Fields.ofQuery(new URL(request.url).searchParams)
    const body = isSafe(request) ? Fields.ofObject({}) : await readBody(request)
    return { ...this.#context, request, principal, names, query, body }
  }

  async #signIn(request: Request, connection: Connection): Promise<Response> {
    const token = (await readBody(request)).required('token', 1_000)
    const cookie = this.#access.signIn(request, token, connection)
    const call = await this.#toCall(new Request(request.url), SIGNED_IN, {})
    await this.#context.audit.write(SIGNED_IN, { action: 'sign_in' }, true)
    return json(200, await describeSession(call, true), { 'set-cookie': cookie })
  }

  #signOut(request: Request): Response {
    return json(200, { done: true }, { 'set-cookie': this.#access.signOut(request) })
  }

  #refuse(error: ClerkSyncError, isApi: boolean): Response {
    const { status, message, remedy, code } = error
    if (!isApi) return serveProblem(status, message, remedy)
    const problem: Problem = { code, message, remedy }
    const isAnonymous = code === 'sign_in_required' || code === 'token_wrong'
    const headers = status === 429 ? { 'retry-after': '60' } : {}
    return json(status, isAnonymous ? { ...problem, ...this.#access.invitation } : problem, headers)
  }
}

const SIGNED_IN: Principal = { name: 'token', role: 'admin' }

/** Looking at something by POST changes nothing. */
const QUESTIONS = /(^jobs\/count|\/compare|\/reveal)$/

function changes(request: Request, path: string): boolean {
  return !isSafe(request) && !QUESTIONS.test(path)
}

function toBase(path: string): string {
  if (!/^\/[\w./~-]*$/.test(path))
    throw new ClerkSyncError('option_invalid', 'basePath must be a path, /dashboard')
  return path.endsWith('/') ? path : `${path}/`
}

function requireLong(token: string | undefined): string | undefined {
  if (token === undefined || token.length >= MIN_TOKEN_LENGTH) return token
  throw new ClerkSyncError('option_invalid', `the dashboard’s token needs ${MIN_TOKEN_LENGTH} characters`)
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      ...SECURITY_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
  })
}

function methodNotAllowed(methods: readonly string[]): Response {
  const problem: Problem = {
    code: 'method_not_allowed',
    message: 'This route does not answer that method.',
    remedy: `It answers ${methods.join(', ')}.`,
  }
  return json(405, problem, { allow: methods.join(', ') })
}
