/**
 * Metrics for Prometheus: counted from the facts that a sync reports, and read from its database once per scrape. What
 * a metric is called, and what it means, stands in `process-metrics.ts` and `database-metrics.ts`.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Registry } from '@prometheus-io/client'
import type { ClerkSync } from '../index.ts'
import { loadClient } from './client.ts'
import { DatabaseMetrics } from './database-metrics.ts'
import { collectRuntime, createProcessMetrics } from './process-metrics.ts'
import { VitalsCache } from './vitals-cache.ts'

export interface MetricsOptions {
  /**
   * Where the metrics are registered: the app's own registry, to be shown with the app's metrics.
   * @default a registry of its own, with the metrics of the process as well
   */
  readonly registry?: Registry | undefined
  /**
   * What a scraper must send, as `Authorization: Bearer …`.
   * @default none: anyone who can reach the route may read it
   */
  readonly token?: string | undefined
  /**
   * How many milliseconds the database may take for a scrape; after that the last numbers are shown.
   * @default 2000
   */
  readonly timeoutMs?: number | undefined
}

/** The metrics of a sync. */
export interface Metrics {
  /** The media type of {@link Metrics.text}. */
  readonly contentType: string
  /** All metrics, as Prometheus reads them. Never fails for the database's sake. */
  text(): Promise<string>
  /** Answers a scrape; never throws. The whole route, for anything that speaks `fetch`. */
  fetch(request: Request): Promise<Response>
  /** Counts no more. */
  close(): void
}

/**
 * Begins to count what a sync does. Needs `npm install @prometheus-io/client`.
 *
 * @example
 * const metrics = await createMetrics(sync)
 * app.get('/metrics', async (_, response) => response.type(metrics.contentType).send(await metrics.text()))
 *
 * @throws {ClerkSyncError} `peer_missing`
 */
export async function createMetrics(sync: ClerkSync, options: MetricsOptions = {}): Promise<Metrics> {
  const client = await loadClient()
  const registry = options.registry ?? new client.Registry()
  const vitals = new VitalsCache(() => sync.vitals(), options.timeoutMs)
  new DatabaseMetrics(client, registry, vitals)
  const close = createProcessMetrics(client, registry, sync)
  if (!options.registry) collectRuntime(client, registry)
  const text = () => registry.metrics()
  return {
    contentType: registry.contentType,
    text,
    fetch: (request) => answer(request, options.token, text, registry.contentType),
    close,
  }
}

async function answer(
  request: Request,
  token: string | undefined,
  text: () => Promise<string>,
  contentType: string,
): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
  if (token !== undefined && !isRight(request.headers.get('authorization'), token))
    return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
  const body = await text()
  const headers = { 'content-type': contentType, 'cache-control': 'no-store' }
  return new Response(request.method === 'HEAD' ? null : body, { headers })
}

/** Digests have one length, whatever was sent. */
function isRight(authorization: string | null, token: string): boolean {
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
