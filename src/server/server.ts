/**
 * The standalone server: the webhook route and the health checks (`/healthz`, `/readyz`), on Node's own HTTP server. It
 * answers everything itself, from constant bodies, and never redirects: Svix counts a redirect as a failure.
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeHandler } from '../adapters/node.ts'
import { type DashboardHandler, toNodeListener } from '../dashboard/index.ts'
import { toUnavailable } from '../database/failure.ts'
import { ClerkSyncError, ERRORS } from '../errors.ts'
import type { ClerkSync } from '../index.ts'
import { read } from '../inspect/reading.ts'
import { describeWaitingWork, START_A_WORKER } from '../inspect/status.ts'
import { readWaitingWork } from '../inspect/waiting-work.ts'
import { consoleLogger } from '../log.ts'
import type { Metrics } from '../metrics/index.ts'
import { type Reply, refuse, toClerkSyncError } from '../reply.ts'
import { requireNumber } from '../validate.ts'
import { DEFAULT_HOST, DEFAULT_PORT } from './defaults.ts'
import { MaintenanceSchedule, type MaintenanceScheduleOptions } from './maintenance-schedule.ts'
import { METRICS_PATH, MetricsServer, metricsListener } from './metrics-server.ts'
import type { Preparation } from './preparation.ts'
import { ReconcileSchedule, type ReconcileScheduleOptions } from './reconcile-schedule.ts'

export interface ServerOptions {
  /** The sync that receives the deliveries. The server closes it when it stops. */
  readonly sync: ClerkSync
  /**
   * The TCP port; 0 means any free one.
   * @default 4848
   */
  readonly port?: number | undefined
  /**
   * The address to listen on.
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined
  /**
   * The paths of the webhook route. A request's path must be exactly one of them.
   * @default ["/api/webhooks/clerk", "/webhooks/clerk"]
   */
  readonly webhookPaths?: readonly string[] | undefined
  /**
   * The handler for requests below {@link DASHBOARD_PATH}.
   * @default none
   */
  readonly dashboard?: DashboardHandler | undefined
  /**
   * The metrics at `/metrics`. The server closes them when it stops.
   * @default none
   */
  readonly metrics?: Metrics | undefined
  /**
   * The TCP port of `/metrics`; 0 means any free one.
   * @default the server's own
   */
  readonly metricsPort?: number | undefined
  /**
   * How many milliseconds {@link ClerkSyncServer.stop} goes on as before, while `/readyz` answers 503 and connections are
   * closed after their answer: load balancers need that time to send requests elsewhere.
   * @default 0
   */
  readonly shutdownDelayMs?: number | undefined
  /**
   * How many milliseconds {@link ClerkSyncServer.stop} waits for deliveries under way, after the delay.
   * @default 10000
   */
  readonly graceMs?: number | undefined
  /**
   * Prepares the database. Until it is done, deliveries are answered with 503, `/readyz` names what it waits for, and
   * no schedule runs.
   * @default none: the database is ready
   */
  readonly preparation?: Preparation | undefined
  /**
   * Reconciles with Clerk on a schedule, and at the start after a gap in events. Once a backfill was done; needs the secret key.
   * @default never
   */
  readonly reconcile?: ReconcileScheduleOptions | undefined
  /**
   * How often old counts are added up and removed (`sync.maintain`).
   * @default every hour
   */
  readonly maintenance?: MaintenanceScheduleOptions | undefined
}

/** A server that listens. */
export interface ClerkSyncServer {
  readonly port: number
  /** The port of `/metrics`; undefined without metrics. */
  readonly metricsPort: number | undefined
  /** How many requests the webhook route has answered, by HTTP status. */
  readonly answers: ReadonlyMap<number, number>
  /** How many requests are being answered. */
  readonly underWay: number
  /**
   * Stops accepting deliveries, answers current ones, and closes every connection and the sync.
   * @returns `cut_off` if connections had to be cut after the grace period, otherwise `drained`
   */
  stop(): Promise<'drained' | 'cut_off'>
}

/** The path that Clerk's guides use, and the one of a server that does nothing else. */
export const WEBHOOK_PATHS = ['/api/webhooks/clerk', '/webhooks/clerk'] as const

const GRACE_MS = 10_000
/** A request that was in flight when the server stopped is still answered; a reset connection would tell Svix less. */
const LINGER_MS = 500
/** A database that takes longer than this to say it is there is not ready. */
const READY_TIMEOUT_MS = 2_500

/** Svix sends a delivery at once; a client that takes this long over its headers or body only occupies a socket. */
const TIMEOUTS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  // Longer than the 60 seconds of the usual load balancers: the side that closes first must be the one that sends.
  keepAliveTimeout: 65_000,
}
/** An idle connection costs some 10 KB. */
const MAX_CONNECTIONS = 10_000

/**
 * Starts a server around a sync; resolves when it listens.
 *
 * @example
 * const server = await startServer({ sync: createClerkSync(), port: 4848 })
 * process.once('SIGTERM', () => server.stop())
 *
 * @throws {ClerkSyncError} `port_taken` or `option_invalid`
 */
export async function startServer(options: ServerOptions): Promise<ClerkSyncServer> {
  const server = new StandaloneServer(options)
  await server.listen(options)
  return server
}

/** Where the dashboard is. */
export const DASHBOARD_PATH = '/dashboard'

/** Draining: it accepts deliveries, and tells load balancers that it is about to stop. */
type Phase = 'open' | 'lame_duck' | 'stopping'

type Route = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

class StandaloneServer implements ClerkSyncServer {
  readonly answers = new Map<number, number>()
  readonly #sync: ClerkSync
  readonly #schedules: readonly (ReconcileSchedule | MaintenanceSchedule)[]
  readonly #preparation: Preparation | undefined
  readonly #shutdownDelayMs: number
  readonly #graceMs: number
  readonly #metrics: Metrics | undefined
  readonly #metricsServer: MetricsServer | undefined
  readonly #http: Server
  readonly #routes: ReadonlyMap<string, Route>
  readonly #dashboard: Route | undefined
  /** Ends the dashboard's live streams, which never end by themselves. */
  readonly #closing = new AbortController()
  #port = 0
  #metricsPort: number | undefined
  readonly #responses = new Set<ServerResponse>()
  /** One check at a time for all callers: a hanging database must not receive ever more checks. */
  #readiness: Promise<void> | undefined
  #phase: Phase = 'open'
  #stopped: Promise<'drained' | 'cut_off'> | undefined
  /** Resolved once the server stops and answers nothing any more. */
  readonly #idle = Promise.withResolvers<void>()

  constructor(options: ServerOptions) {
    const {
      sync,
      webhookPaths = WEBHOOK_PATHS,
      dashboard,
      graceMs = GRACE_MS,
      reconcile,
      maintenance,
    } = options
    const { metrics, metricsPort } = options
    const scraped = metrics && metricsListener(metrics)
    this.#metrics = metrics
    this.#metricsServer = scraped && metricsPort !== undefined ? new MetricsServer(scraped) : undefined
    this.#dashboard = dashboard && toNodeListener(dashboard, this.#closing.signal)
    this.#sync = sync
    this.#schedules = [
      ...(reconcile ? [new ReconcileSchedule(sync, reconcile)] : []),
      new MaintenanceSchedule(sync, maintenance),
    ]
    this.#preparation = options.preparation
    this.#shutdownDelayMs = requireNumber('shutdownDelayMs', options.shutdownDelayMs ?? 0, 'duration')
    this.#graceMs = requireNumber('graceMs', graceMs, 'duration')
    // Set here, because a flag of Node can make its parser lenient by default.
    this.#http = createServer({ ...TIMEOUTS, insecureHTTPParser: false }, (request, response) => {
      void this.#answer(request, response)
    })
    this.#http.maxConnections = MAX_CONNECTIONS
    const webhook = this.#webhookRoute()
    this.#routes = new Map<string, Route>([
      ...webhookPaths.map((path) => [path, webhook] as const),
      ...(scraped && metricsPort === undefined ? [[METRICS_PATH, scraped] as const] : []),
      ['/healthz', forReading((_, response) => send(response, OK))],
      ['/readyz', forReading((_, response) => this.#answerReadiness(response))],
    ])
  }

  get port(): number {
    return this.#port
  }

  get underWay(): number {
    return this.#responses.size
  }

  get metricsPort(): number | undefined {
    return this.#metricsPort
  }

  async listen(options: ServerOptions): Promise<void> {
    const { port = DEFAULT_PORT, host = DEFAULT_HOST, metricsPort = port } = options
    await this.#listenForScrapers(metricsPort, host)
    try {
      await once(this.#http.listen(port, host), 'listening')
      this.#port = (this.#http.address() as AddressInfo).port
      if (this.#metrics) this.#metricsPort ??= this.#port
      void this.#startSchedules()
    } catch (error) {
      this.#metricsServer?.close()
      throw cannotListen(error as NodeJS.ErrnoException, `${host}:${port}`)
    }
  }

  async #listenForScrapers(port: number, host: string): Promise<void> {
    try {
      this.#metricsPort = await this.#metricsServer?.listen(port, host)
    } catch (error) {
      throw cannotListen(error as NodeJS.ErrnoException, `${host}:${port}`)
    }
  }

  stop(): Promise<'drained' | 'cut_off'> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #startSchedules(): Promise<void> {
    await this.#preparation?.done
    if (this.#phase === 'open') for (const schedule of this.#schedules) schedule.start()
  }

  /** Never rejects: no request may end the process. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#responses.add(response)
    response.once('close', () => this.#forget(response))
    if (this.#phase !== 'open') response.setHeader('connection', 'close')
    try {
      await this.#routeOf(pathOf(request))(request, response)
    } catch (error) {
      consoleLogger.error({ error: String(error) }, 'request failed')
      fail(response, toClerkSyncError(error))
    }
  }

  #routeOf(path: string): Route {
    const isDashboard = path === DASHBOARD_PATH || path.startsWith(`${DASHBOARD_PATH}/`)
    return (isDashboard ? this.#dashboard : this.#routes.get(path)) ?? notFound
  }

  #forget(response: ServerResponse): void {
    this.#responses.delete(response)
    if (this.#phase === 'stopping' && this.#responses.size === 0) this.#idle.resolve()
  }

  #webhookRoute(): Route {
    const handle = createNodeHandler(this.#sync)
    return (request, response) => {
      response.once('finish', () => this.#count(response.statusCode))
      if (this.#phase === 'stopping') return refuseUnread(request, response, SHUTTING_DOWN)
      const reason = this.#preparation?.reason
      if (reason && request.method === 'POST') return refuseUnread(request, response, refuse(reason))
      return handle(request, response)
    }
  }

  #count(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
  }

  async #answerReadiness(response: ServerResponse): Promise<void> {
    if (this.#phase !== 'open') return send(response, SHUTTING_DOWN)
    if (this.#preparation?.reason) return send(response, notReady(this.#preparation.reason))
    this.#readiness ??= this.#sync.check().finally(() => {
      this.#readiness = undefined
    })
    const reply = await isDoneWithin(READY_TIMEOUT_MS, this.#readiness).then(
      (isReady) => (isReady ? this.#ready() : notReady(new ClerkSyncError('database_timeout'))),
      (error) => notReady(toUnavailable(error)),
    )
    send(response, reply)
  }

  /** Ready to receive; with the detail that handlers wait, if they do. */
  async #ready(): Promise<Reply> {
    const { database, location } = this.#sync
    const work = await read({ database, schema: location.schema }, readWaitingWork).catch(() => null)
    if (work === null) return OK
    const detail = `Degraded: ${describeWaitingWork(work, new Date().toISOString())}. ${START_A_WORKER}`
    return { ...OK, body: JSON.stringify({ ok: true, detail }) }
  }

  async #beLameDuck(): Promise<void> {
    this.#phase = 'lame_duck'
    await sleep(this.#shutdownDelayMs)
  }

  async #stop(): Promise<'drained' | 'cut_off'> {
    // Before it was ready, no load balancer has sent anything.
    if (this.#shutdownDelayMs > 0 && !this.#preparation?.reason) await this.#beLameDuck()
    this.#phase = 'stopping'
    const deadline = Date.now() + this.#graceMs
    this.#closing.abort()
    const closed = once(this.#http, 'close')
    stopListening(this.#http)
    for (const schedule of this.#schedules) void schedule.stop()
    for (const response of this.#responses) closeAfter(response)
    if (this.#responses.size === 0) this.#idle.resolve()
    const answered = Promise.all([this.#idle.promise, sleep(LINGER_MS, undefined, { ref: false })])
    const isIdle = await isDoneWithin(this.#graceMs, Promise.race([answered, closed]))
    this.#http.close()
    this.#http.closeAllConnections()
    await closed
    this.#metricsServer?.close()
    this.#metrics?.close()
    const isClosed = await isDoneWithin(deadline - Date.now(), this.#sync.close())
    return isIdle && isClosed ? 'drained' : 'cut_off'
  }
}

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const OK: Reply = { status: 200, headers: HEADERS, body: '{"ok":true}' }
const NOT_FOUND: Reply = { status: 404, headers: HEADERS, body: '{"error":"not_found"}' }
const READ_ONLY: Reply = {
  status: 405,
  headers: { ...HEADERS, allow: 'GET, HEAD' },
  body: '{"error":"method_not_allowed"}',
}
const SHUTTING_DOWN: Reply = refuse(new ClerkSyncError('shutting_down'))

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  // What is left of an unread body would be taken for the next request.
  if (hasUnreadBody(response.req)) response.setHeader('connection', 'close')
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** A request without a body is not complete either while its headers are being answered. */
function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
}

/** A half-sent answer can only be cut off. */
function fail(response: ServerResponse, error: ClerkSyncError): void {
  if (response.headersSent) response.destroy()
  else send(response.setHeader('connection', 'close'), refuse(error))
}

function notFound(_: IncomingMessage, response: ServerResponse): void {
  send(response, NOT_FOUND)
}

/** After its body: closing a connection with unread data resets it, and the answer may be lost. */
function refuseUnread(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  request.resume().once('end', () => send(response, reply))
}

/** Names the cause. Anyone who can reach the webhook route can read this, so it contains only fixed texts. */
function notReady({ code }: ClerkSyncError): Reply {
  const { status, headers } = refuse(new ClerkSyncError(code))
  return { status, headers, body: JSON.stringify({ error: code, detail: ERRORS[code].summary }) }
}

function forReading(route: Route): Route {
  return (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') return route(request, response)
    return send(response, READ_ONLY)
  }
}

/** Without the query; not decoded, so that nothing but the path itself matches. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string
}

/** The HTTP server's own `close` would cut idle connections as well, on which a request may be under way. */
function stopListening(server: Server): void {
  NetServer.prototype.close.call(server)
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}

async function isDoneWithin(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const waiting = new AbortController()
  const late = sleep(Math.max(0, milliseconds), false, { signal: waiting.signal }).catch(() => false)
  return Promise.race([work.then(() => true), late]).finally(() => waiting.abort())
}

function cannotListen(error: NodeJS.ErrnoException, address: string): ClerkSyncError {
  if (error.code === 'EADDRINUSE') return new ClerkSyncError('port_taken', address, { cause: error })
  return new ClerkSyncError('option_invalid', `cannot listen on ${address} (${error.code})`, { cause: error })
}
