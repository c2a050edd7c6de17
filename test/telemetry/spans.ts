/** OpenTelemetry's real SDK, recording into memory, for the whole process. */

import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

const exporter = new InMemorySpanExporter()

/** Registers the SDK, once for a test file. */
export function recordSpans(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  )
}

/** The spans that have ended and concern an event, the first first. */
export function spansOf(eventId: string): ReadableSpan[] {
  const all = exporter.getFinishedSpans()
  const delivery = all.find(({ attributes }) => attributes['clerk_sync.event_id'] === eventId)
  const traceId = delivery?.spanContext().traceId
  return all.filter(
    (span) => span.spanContext().traceId === traceId || span.attributes['clerk_sync.event_id'] === eventId,
  )
}

export function getFinishedSpans(): ReadableSpan[] {
  return exporter.getFinishedSpans()
}
