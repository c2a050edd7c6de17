/** The HTTP half of the simulated Backend API: who may ask, how often, and what goes wrong on the way. */

import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../random.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, ok, Refusal, refused, tooManyRequests, unauthorized } from './answers.ts'
import { type BackendFault, type FailNextOptions, type FaultRates, Faults } from './faults.ts'
import { type ClerkFeature, type FeatureRefusal, featureIsOff } from './features.ts'
import type { Environment, GoneCursor } from './lists.ts'
import { Portal, type SimulatedEndpoint } from './portal.ts'
import { type RateLimit, RateLimiter } from './rate-limit.ts'
import { findRoute, type Route } from './routes.ts'

/** The options of a simulated Backend API, complete. */
export interface Settings {
  readonly secretKey: string
  readonly environment: Environment
  readonly seed: number
  /** Null: none. */
  readonly rateLimit: RateLimit | null
  readonly faults: FaultRates
  readonly slowMs: number
  /** The first that matches a path answers. */
  readonly routes: readonly Route[]
  readonly goneCursor: GoneCursor
  readonly disabled: Readonly<Partial<Record<ClerkFeature, FeatureRefusal>>>
}

/** A request that was made. */
export interface BackendRequest {
  readonly at: Date
  readonly method: string
  /** With `/v1`, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Of the answer, unless its connection was dropped. */
  readonly status: number | 'dropped'
  /** What went wrong on purpose. */
  readonly fault: BackendFault | undefined
}

const VERSION_PREFIX = '/v1'
const PORTAL_LINK = '/webhooks/svix_url'
/** Of the fault `throttled`. */
const THROTTLED_SECONDS = 1
const BAD_GATEWAY: Answer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from(
    '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n',
  ),
}

export class BackendApiServer {
  readonly secretKey: string
  readonly requests: BackendRequest[] = []
  readonly #clerk: SimulatedClerk
  readonly #settings: Settings
  readonly #faults: Faults
  /** For what differs from answer to answer without being a fault. */
  readonly #random: Random
  readonly #limiter: RateLimiter | null
  readonly #disabled: Map<string, FeatureRefusal>
  readonly #portal: Portal
  readonly #http: Server
  #url = ''

  constructor(clerk: SimulatedClerk, settings: Settings) {
    this.#clerk = clerk
    this.#settings = settings
    this.secretKey = settings.secretKey
    this.#faults = new Faults(settings.faults, settings.seed)
    this.#random = new Random(settings.seed)
    this.#limiter = settings.rateLimit && new RateLimiter(settings.rateLimit)
    this.#disabled = new Map(Object.entries(settings.disabled))
    this.#portal = new Portal(new Random(settings.seed))
    this.#http = createServer((request, response) => void this.#answer(request, response))
  }

  get url(): string {
    return this.#url
  }

  get webhookEndpoints(): readonly SimulatedEndpoint[] {
    return this.#portal.endpoints
  }

  set webhookEndpoints(endpoints: readonly SimulatedEndpoint[]) {
    this.#portal.endpoints = endpoints
  }

  async listen(port: number): Promise<void> {
    await once(this.#http.listen(port, '127.0.0.1'), 'listening')
    this.#url = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  failNext(fault: BackendFault, options?: FailNextOptions): void {
    this.#faults.plan(fault, options)
  }

  disable(feature: ClerkFeature, how: FeatureRefusal = 'not_enabled'): void {
    this.#disabled.set(feature, how)
  }

  enable(feature: ClerkFeature): void {
    this.#disabled.delete(feature)
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://clerk')
    const ofSvix = await this.#portal.answer(request, url.pathname)
    if (ofSvix) return this.#send(response, ofSvix, undefined)
    request.resume()
    const path = url.pathname.startsWith(`${VERSION_PREFIX}/`)
      ? url.pathname.slice(VERSION_PREFIX.length)
      : ''
    const fault = this.#faults.next(path)
    if (fault === 'slow') await sleep(this.#settings.slowMs, undefined, { ref: false })
    const answer = this.#answerTo(request, url, path, fault)
    this.#note(request, url, fault, answer.status)
    this.#send(response, answer, fault)
  }

  #note(
    request: IncomingMessage,
    { pathname, searchParams }: URL,
    fault: BackendFault | undefined,
    status: number,
  ) {
    this.requests.push({
      at: new Date(),
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      status: fault === 'dropped' ? 'dropped' : status,
      fault,
    })
  }

  #answerTo(request: IncomingMessage, url: URL, path: string, fault: BackendFault | undefined): Answer {
    try {
      if (request.headers.authorization !== `Bearer ${this.secretKey}`) {
        throw unauthorized(request.headers.authorization)
      }
      if (fault === 'server_error')
        throw new Refusal(500, 'internal_clerk_error', 'Oops, an unexpected error occurred')
      if (fault === 'html_page') return BAD_GATEWAY
      if (fault === 'throttled') return this.#throttle(THROTTLED_SECONDS)
      return this.#route(request, url, path)
    } catch (error) {
      if (error instanceof Refusal) return refused(error, this.#newTraceId())
      throw error
    }
  }

  #route(request: IncomingMessage, { searchParams }: URL, path: string): Answer {
    if (path === PORTAL_LINK && request.method === 'POST') return this.#answerLink()
    const { route, ids } = findRoute(this.#settings.routes, path)
    const retryAfter = this.#limiter?.take(route.path, performance.now())
    if (retryAfter !== undefined) return this.#throttle(retryAfter)
    if (request.method !== 'GET') throw new Refusal(405, 'method_not_allowed', 'Method not allowed')
    const refusal = route.feature && this.#disabled.get(route.feature)
    if (route.feature && refusal) throw featureIsOff(route.feature, refusal)
    const apiVersion = [request.headers['clerk-api-version']].flat()[0]
    const { goneCursor, environment } = this.#settings
    return route.endpoint({
      clerk: this.#clerk,
      query: searchParams,
      ids,
      apiVersion,
      goneCursor,
      environment,
    })
  }

  /** An instance without endpoints has no application at Svix. */
  #answerLink(): Answer {
    if (this.#portal.endpoints.length > 0) return ok({ svix_url: this.#portal.createLink(this.#url) })
    throw new Refusal(400, 'svix_app_missing', 'No Svix app exists for this instance')
  }

  #throttle(seconds: number): Answer {
    return refused(tooManyRequests(), this.#newTraceId(), { 'retry-after': String(seconds) })
  }

  #newTraceId(): string {
    return Buffer.from(this.#random.bytes(16)).toString('hex')
  }

  /** `content-type` is exactly what Clerk's own client recognises as JSON; `date` is by the simulated Clerk's clock. */
  #send(
    response: ServerResponse,
    { status, body, headers = {} }: Answer,
    fault: BackendFault | undefined,
  ): void {
    if (fault === 'dropped') {
      this.#drop(response, body)
      return
    }
    const sent = fault === 'truncated' ? body.subarray(0, body.length / 2) : body
    const standard = {
      'content-type': 'application/json',
      'content-length': sent.length,
      date: new Date(this.#clerk.now).toUTCString(),
    }
    response.writeHead(status, { ...standard, ...headers }).end(sent)
  }

  #drop(response: ServerResponse, body: Buffer): void {
    if (this.#random.chance(0.5)) {
      response.destroy()
      return
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.write(body.subarray(0, body.length / 2), () => response.destroy())
  }
}
