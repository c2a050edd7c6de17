/** Counts what became of deliveries, and tells nothing. */

import type { Logger, Receipt } from '../../index.ts'
import type { TakenDelivery } from '../delivery-log.ts'

export class DemoLog implements Logger {
  readonly outcomes = new Map<Receipt['outcome'], number>()

  debug(): void {}

  info(fields: object, message: string): void {
    if (message !== 'delivery') return
    const { outcome } = fields as TakenDelivery
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  /** What is refused here is refused on purpose; the servers' answers are counted. */
  warn(): void {}

  error(): void {}
}
