/** Notices that a newer version has run a contract step: from then on this process must write nothing. */

import { ClerkSyncError } from './errors.ts'

const LOOK_EVERY_MS = 10_000

export class SchemaWatch {
  readonly #read: () => Promise<string[]>
  readonly #onAhead: (error: ClerkSyncError) => void
  #refusal: ClerkSyncError | undefined
  #readAt = performance.now()
  #looking: NodeJS.Timeout | undefined

  /** @param read the pending migrations; rejects with `database_ahead` once that is so */
  constructor(read: () => Promise<string[]>, onAhead: (error: ClerkSyncError) => void) {
    this.#read = read
    this.#onAhead = onAhead
  }

  /**
   * Looks now and then, and waits for nothing: a process that does nothing asks nothing, so that its database may sleep.
   * @throws {ClerkSyncError} `database_ahead`
   */
  require(): void {
    if (performance.now() - this.#readAt > LOOK_EVERY_MS) this.#look()
    if (this.#refusal) throw this.#refusal
  }

  /** For a process that works by itself, without being asked. */
  keepLooking(): void {
    this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  /**
   * The migrations that the database lacks.
   * @throws {ClerkSyncError} `database_…`
   */
  async pending(): Promise<string[]> {
    this.#readAt = performance.now()
    try {
      const pending = await this.#read()
      this.#refusal = undefined
      return pending
    } catch (error) {
      if (error instanceof ClerkSyncError && error.code === 'database_ahead') this.#refuse(error)
      throw error
    }
  }

  close(): void {
    clearInterval(this.#looking)
  }

  /** Whatever else is wrong shows where the database is used. */
  #look(): void {
    this.pending().catch(() => undefined)
  }

  #refuse(error: ClerkSyncError): void {
    const wasRefused = this.#refusal !== undefined
    this.#refusal = error
    if (!wasRefused) this.#onAhead(error)
  }
}
