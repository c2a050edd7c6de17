/** Randomness that a seed repeats: the generator sfc32, on 128 bits of state. */

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param stream distinguishes generators of one seed */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0
    this.#b = (seed / 2 ** 32) | 0
    this.#c = stream | 0
    // Close seeds start out alike; after this many rounds they no longer do.
    for (let round = 0; round < 15; round++) this.#next()
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.#next() / 2 ** 32
  }

  /** Between the two, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(0, items.length - 1)] as Item
  }

  /** One of the items, each as likely as its weight is heavy. */
  pickWeighted<Item extends { readonly weight: number }>(items: readonly Item[]): Item {
    const total = items.reduce((sum, item) => sum + item.weight, 0)
    let left = this.fraction() * total
    return items.find((item) => {
      left -= item.weight
      return left < 0
    }) as Item
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(0, last)
      const moved = shuffled[last] as Item
      shuffled[last] = shuffled[other] as Item
      shuffled[other] = moved
    }
    return shuffled
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.integer(0, 255))
  }

  digits(length: number): string {
    return Array.from({ length }, () => this.integer(0, 9)).join('')
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0
    return result >>> 0
  }
}
