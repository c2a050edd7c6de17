/** How many bytes of deliveries may be in memory at once, from their first byte to their answer. */

import { ClerkSyncError } from '../errors.ts'

export class ByteBudget {
  readonly #max: number
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  /** A share for one delivery, which grows as its body arrives. */
  open(): ByteShare {
    let share = 0
    return {
      add: (bytes) => {
        if (this.#held + bytes > this.#max) throw new ClerkSyncError('overloaded')
        this.#held += bytes
        share += bytes
      },
      close: () => {
        this.#held -= share
        share = 0
      },
    }
  }
}

export interface ByteShare {
  /** @throws {ClerkSyncError} `overloaded` */
  add(bytes: number): void
  close(): void
}
