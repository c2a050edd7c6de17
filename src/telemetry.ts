/**
 * The facts and spans of the core. Metrics, log lines and traces subscribe to them; the core knows none of those.
 *
 * A fact is recorded once its work has ended. A span wraps the work, so that nested calls become part of it.
 */

import type { ErrorCode } from './errors.ts'

/** A delivery was committed, or turned out to be a repetition. */
export interface DeliveryFact {
  readonly kind: 'delivery'
  /** The svix-id: `events.id`. */
  readonly eventId: string
  /** Null if the body was no event. */
  readonly type: string | null
  readonly resource: string | null
  readonly resourceId: string | null
  readonly outcome: 'applied' | 'stale' | 'ignored' | 'parked' | 'failed' | 'duplicate'
  readonly reason: string | null
  /** The names of the fields that it changed. */
  readonly changed: readonly string[]
  readonly ms: number
}

/** A request was answered with an error. */
export interface RefusalFact {
  readonly kind: 'refusal'
  readonly code: ErrorCode
  readonly status: number
}

/** A transaction of deliveries ended. */
export interface CommitFact {
  readonly kind: 'commit'
  readonly events: number
  readonly ms: number
  /** Why it failed; null if it was committed. */
  readonly error: ErrorCode | null
}

/** A try of a handler ended. */
export interface RunFact {
  readonly kind: 'run'
  readonly handler: string
  readonly eventId: string
  readonly attempt: number
  readonly ms: number
  /** `interrupted`: not the handler's fault, so that the try does not count. */
  readonly ending: 'handled' | 'retrying' | 'dead' | 'interrupted'
  readonly error?: string
  readonly retryInSeconds?: number | undefined
}

/** A job began or ended: a backfill, a reconcile, a bulk replay. */
export interface JobFact {
  readonly kind: 'job'
  readonly jobId: string
  readonly job: string
  readonly status: 'running' | 'complete' | 'incomplete' | 'failed' | 'aborted'
  readonly error?: string | undefined
}

/** Work got a connection to the database. */
export interface ConnectionFact {
  readonly kind: 'connection'
  /** What it is for. */
  readonly lane: 'deliveries' | 'bookkeeping' | 'repairs' | 'queries' | 'handlers'
  /** How long it was waited for. */
  readonly ms: number
}

/** Something that happened. Holds ids and numbers; only `error` may hold more. */
export type Fact = DeliveryFact | RefusalFact | CommitFact | RunFact | JobFact | ConnectionFact

/** Hears every fact, on the way of a delivery: it must be quick, and must not throw. */
export type Observer = (fact: Fact) => void

/** A piece of work in a trace. */
export interface SpanStart {
  readonly name: string
  readonly kind: 'internal' | 'consumer'
  readonly attributes: Readonly<Record<string, string | number>>
  /** A `traceparent`; null begins a trace. Default: the span that is active. */
  readonly parent?: string | null
  /** The `traceparent` of a span that this one follows from without being part of it. */
  readonly link?: string | null
}

/** A span that is open. */
export interface Span {
  /** To continue the trace elsewhere or later; null if nothing records. */
  readonly traceparent: string | null
  set(attributes: SpanStart['attributes']): void
}

/** Makes spans: `openTelemetry()` from `clerk-sync/opentelemetry`. */
export interface Tracing {
  /** Runs work as a span, which is the active one meanwhile. */
  run<Result>(span: SpanStart, work: (span: Span) => Promise<Result>): Promise<Result>
  /** Notes a span that is over. Times are milliseconds since 1970. */
  record(span: SpanStart, startedAt: number, endedAt: number): void
}

export class Telemetry {
  readonly tracing: Tracing | undefined
  #observers: readonly Observer[] = []

  constructor(tracing?: Tracing) {
    this.tracing = tracing
  }

  record(fact: Fact): void {
    for (const observer of this.#observers) {
      try {
        observer(fact)
      } catch (error) {
        // Nobody's delivery fails because somebody counts it wrongly.
        this.#leave(observer)
        process.emitWarning(`An observer of clerk-sync failed and hears nothing more: ${error}`)
      }
    }
  }

  /** @returns what ends it */
  observe(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer]
    return () => this.#leave(observer)
  }

  #leave(observer: Observer): void {
    this.#observers = this.#observers.filter((each) => each !== observer)
  }

  /** Runs work as a span, if anybody makes spans. */
  span<Result>(start: () => SpanStart, work: (span: Span | undefined) => Promise<Result>): Promise<Result> {
    return this.tracing ? this.tracing.run(start(), work) : work(undefined)
  }
}
