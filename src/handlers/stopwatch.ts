/** Measures a time that may pause, and says when it is up. */

export class Stopwatch {
  readonly #onTimeUp: () => void
  #leftMs: number
  #resumedAt = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(ms: number, onTimeUp: () => void) {
    this.#leftMs = ms
    this.#onTimeUp = onTimeUp
    this.resume()
  }

  pause(): void {
    clearTimeout(this.#timer)
    this.#leftMs -= performance.now() - this.#resumedAt
  }

  resume(): void {
    if (this.#isStopped) return
    this.#resumedAt = performance.now()
    this.#timer = setTimeout(this.#onTimeUp, Math.max(0, this.#leftMs))
  }

  /** For good, also while it pauses. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#isStopped = true
  }
}
