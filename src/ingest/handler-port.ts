/** The ledger's interface to your handlers: it records their runs, and the handler runtime implements this. */

/** An event that was recorded now, for the first time, and is not parked. */
export interface RecordedEvent {
  readonly eventId: string
  readonly type: string
  readonly resourceId: string | null
  readonly occurredAt: Date
}

/** Which run. */
export interface RunKey {
  readonly eventId: string
  readonly handler: string
}

/** A run to be recorded. */
export interface NewRun extends RunKey {
  /** The resource whose events an ordered handler takes one after the other. */
  readonly orderKey: string | null
  readonly occurredAt: Date
}

export interface HandlerPort {
  /** Whether any handler is for events of this type: then their secrets are kept until it has run. */
  wants(type: string): boolean
  /** The runs that an event is to have. */
  runsFor(event: RecordedEvent): readonly NewRun[]
  /** Called once runs are committed. A hint, which may get lost; never throws, and nobody waits for it. */
  wake(runs: readonly RunKey[]): void
}
