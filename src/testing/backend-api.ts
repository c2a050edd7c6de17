/** A simulated Backend API: what Clerk's real one answers, quirks and all, about a simulated Clerk as it is at the moment. */

import type { BackendFault, FailNextOptions, FaultRates } from './backend-api/faults.ts'
import type { ClerkFeature, FeatureRefusal } from './backend-api/features.ts'
import type { GoneCursor } from './backend-api/lists.ts'
import type { SimulatedEndpoint } from './backend-api/portal.ts'
import { RATE_LIMITS, type RateLimit } from './backend-api/rate-limit.ts'
import { ROUTES } from './backend-api/routes.ts'
import { BackendApiServer, type BackendRequest } from './backend-api/server.ts'
import type { SimulatedClerk } from './simulated-clerk.ts'

export interface BackendApiOptions {
  /**
   * The key that requests must bring.
   * @default one of a development instance, `sk_test_…`
   */
  secretKey?: string | undefined
  /**
   * How many requests are answered in what time; null for no limit.
   * @default Clerk's: 100 in 10 seconds, or 1000 if the key starts with `sk_live_`
   */
  rateLimit?: RateLimit | null | undefined
  /**
   * The share of requests, 0 to 1, that each kind of fault befalls.
   * @default none
   */
  faults?: FaultRates | undefined
  /**
   * How many milliseconds late a `slow` answer is.
   * @default 2000
   */
  slowMs?: number | undefined
  /**
   * Which features the team has switched off, and how their endpoints answer.
   * @default none
   */
  disabled?: Readonly<Partial<Record<ClerkFeature, FeatureRefusal>>> | undefined
  /**
   * The answer to a cursor `starting_after` whose user was deleted meanwhile, which Clerk does not document: `refused`
   * with 422, or `empty`, a page without users.
   * @default "refused"
   */
  goneCursor?: GoneCursor | undefined
  /**
   * The same seed and the same requests in the same order meet the same faults.
   * @default 1
   */
  seed?: number | undefined
  /**
   * The TCP port; 0 means any free one.
   * @default 0
   */
  port?: number | undefined
}

/** A simulated Backend API that listens. */
export interface BackendApi extends AsyncDisposable {
  /** Where it listens, without `/v1`: what `CLERK_API_URL` means. */
  readonly url: string
  readonly secretKey: string
  /** All requests so far, in the order in which they were answered. */
  readonly requests: readonly BackendRequest[]

  /**
   * The webhook endpoints that Svix's portal shows for the instance. Nothing is delivered for them; see `createSimulatedSvix`.
   * @default one that takes all event types
   */
  webhookEndpoints: readonly SimulatedEndpoint[]

  /** Lets the next request fail. Several calls add up. */
  failNext(fault: BackendFault, options?: FailNextOptions): void

  /**
   * Switches a feature off.
   * @param how default: 403 with a code that ends in `not_enabled`
   */
  disable(feature: ClerkFeature, how?: FeatureRefusal): void

  /** Switches a feature on again. */
  enable(feature: ClerkFeature): void

  close(): Promise<void>
}

const SECRET_KEY = 'sk_test_simulated000000000000000000000000000000'

/**
 * Starts a server on 127.0.0.1 that answers for a simulated Clerk; resolves when it listens.
 *
 * It answers for the instance as it is at the moment of each request: what is deleted between two pages moves the rest.
 *
 * @example
 * await using api = await startBackendApi(clerk, { rateLimit: null, faults: { dropped: 0.05 } })
 * const response = await fetch(`${api.url}/v1/users?limit=500`, {
 *   headers: { authorization: `Bearer ${api.secretKey}` },
 * })
 */
export async function startBackendApi(
  clerk: SimulatedClerk,
  options: BackendApiOptions = {},
): Promise<BackendApi> {
  const { secretKey = SECRET_KEY, rateLimit } = options
  const environment = secretKey.startsWith('sk_live_') ? 'production' : 'development'
  const server = new BackendApiServer(clerk, {
    secretKey,
    environment,
    seed: options.seed ?? 1,
    rateLimit: rateLimit === undefined ? RATE_LIMITS[environment] : rateLimit,
    faults: options.faults ?? {},
    slowMs: options.slowMs ?? 2_000,
    disabled: options.disabled ?? {},
    goneCursor: options.goneCursor ?? 'refused',
    routes: ROUTES,
  })
  await server.listen(options.port ?? 0)
  return server
}
