/** How many runs of a handler may be under way in this process. */

export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  get free(): number {
    return this.#free
  }

  /** Waits for a free slot and takes as many as there are, at most so many. */
  async acquire(most: number): Promise<number> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.tryAcquire(most)
  }

  tryAcquire(most: number): number {
    const taken = Math.min(this.#free, most)
    this.#free -= taken
    return taken
  }

  release(count: number): void {
    this.#free += count
    for (const resolve of this.#waiting.splice(0, count)) resolve()
  }

  /** One of those acquired, to be freed once. */
  occupied(): Slot {
    let isFree = false
    const free = () => {
      if (!isFree) this.release(1)
      isFree = true
    }
    return { free }
  }
}

/** Freeing it again changes nothing. */
interface Slot {
  free(): void
}
