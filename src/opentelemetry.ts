/**
 * Traces through OpenTelemetry's API. `clerk-sync/opentelemetry`
 *
 * It needs the API alone; which spans are recorded and where they go is the app's SDK's to decide. Without an SDK the API
 * does nothing, and neither does this.
 */

import {
  type Span as ApiSpan,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { SpanStart, Tracing } from './telemetry.ts'
import { readVersion } from './version.ts'

/**
 * Lets every delivery, its commit and its handlers be spans of one trace.
 *
 * @example
 * createClerkSync({ tracing: openTelemetry() })
 */
export function openTelemetry(): Tracing {
  // Asked for at once, and replaced by the SDK's own whenever an SDK is registered.
  const tracer = trace.getTracer('clerk-sync', readVersion())
  return {
    run: async (start, work) => {
      const parent = parentOf(start)
      const span = open(tracer, start, parent)
      const handle = {
        traceparent: toTraceparent(span.spanContext()),
        set: (attributes: SpanStart['attributes']) => void span.setAttributes(attributes),
      }
      try {
        return await context.with(trace.setSpan(parent, span), () => work(handle))
      } catch (error) {
        fail(span, error)
        throw error
      } finally {
        span.end()
      }
    },
    record: (start, startedAt, endedAt) => open(tracer, start, parentOf(start), startedAt).end(endedAt),
  }
}

const KINDS = { internal: SpanKind.INTERNAL, consumer: SpanKind.CONSUMER } as const

function open(tracer: Tracer, { name, kind, attributes, link }: SpanStart, parent: Context, at?: number) {
  const linked = link ? fromTraceparent(link) : undefined
  const links: Link[] = linked ? [{ context: linked }] : []
  const options = { kind: KINDS[kind], attributes: { ...attributes }, links }
  return tracer.startSpan(name, at === undefined ? options : { ...options, startTime: at }, parent)
}

function parentOf({ parent }: SpanStart): Context {
  if (parent === undefined) return context.active()
  const remote = parent === null ? undefined : fromTraceparent(parent)
  return remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
}

/** Messages may hold personal data: what kind of error it was is enough to look it up by the event's id. */
function fail(span: ApiSpan, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', typeOf(error))
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

function toTraceparent(span: SpanContext): string | null {
  if (!isSpanContextValid(span)) return null
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
}

function fromTraceparent(text: string): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text) ?? []
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(found) ? found : undefined
}
