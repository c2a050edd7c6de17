/** Gathers items while a piece of work is under way, and does the next piece with all of them. */

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export class Batch<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #most: number
  readonly #waiting: Waiting<Item, Result>[] = []
  #working: Promise<void> | undefined

  /** @param work returns a result for each item, in order, or fails for all of them */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>, most: number) {
    this.#work = work
    this.#most = most
  }

  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.push({ item, resolve, reject })
    this.#working ??= this.#keepWorking()
    return promise
  }

  /** Resolves when nothing is left. */
  async idle(): Promise<void> {
    await this.#working
  }

  async #keepWorking(): Promise<void> {
    // What comes in the same turn of the event loop belongs to the first piece.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#workOn(this.#waiting.splice(0, this.#most))
    this.#working = undefined
  }

  async #workOn(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(batch.map(({ item }) => item))
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
