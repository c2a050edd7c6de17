/** Keeps a worker's lease for as long as its process works, and notices when that stood still. */

import { HEARTBEAT_MS, type Lease } from './lease.ts'

export interface HeartbeatParts {
  readonly lease: Pick<Lease, 'renew'>
  /** The runs of this worker belong to others by now. */
  readonly onLost: (worker: string) => void
  /** Nothing in this process could do anything for so long. */
  readonly onBlocked: (ms: number) => void
  readonly onTrouble: (error: unknown) => void
}

export class Heartbeat {
  readonly #parts: HeartbeatParts
  readonly #timer: NodeJS.Timeout
  #lastAt = Date.now()
  #isBeating = false

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #beat(): Promise<void> {
    const late = Date.now() - this.#lastAt - HEARTBEAT_MS
    this.#lastAt = Date.now()
    if (late > HEARTBEAT_MS) this.#parts.onBlocked(late)
    // One that waits for a dead connection must not have ten others behind it.
    if (this.#isBeating) return
    this.#isBeating = true
    await this.#renew()
    this.#isBeating = false
  }

  async #renew(): Promise<void> {
    const { lease, onLost, onTrouble } = this.#parts
    try {
      const lost = await lease.renew()
      if (lost !== null) onLost(lost)
    } catch (error) {
      onTrouble(error)
    }
  }
}
