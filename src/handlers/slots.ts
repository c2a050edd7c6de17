/** How many runs of a handler may be under way in this process. */

export class Slots {
  readonly count: number
  #free: number

  constructor(count: number) {
    this.count = count
    this.#free = count
  }

  get free(): number {
    return this.#free
  }

  /** Takes a slot, to be freed once. There must be a free one. */
  occupy(onFree: () => void): Slot {
    this.#free--
    let isFree = false
    const free = () => {
      if (isFree) return
      isFree = true
      this.#free++
      onFree()
    }
    return { free }
  }
}

/** Freeing it again changes nothing. */
export interface Slot {
  free(): void
}
