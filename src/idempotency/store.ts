/** Where it is remembered which messages were processed, and who is processing one. */

/** A message, and how long to wait for somebody else who is processing it. */
export interface Claim {
  readonly svixId: string
  readonly eventType: string
  readonly waitMs: number
}

/** `in_progress`: another process is still handling the message after the wait; let the sender retry. */
export type Verdict = 'processed' | 'duplicate' | 'in_progress'

/** Where the work may write so that it takes effect together with the memory of it; null where there is no such place. */
export interface IdempotencyStore<Context> {
  /**
   * Does the work unless it was done before.
   *
   * Claiming and looking are one step, so that of two callers only one works. Work that fails or whose process dies
   * leaves nothing behind: the next caller does it.
   *
   * @throws what the work throws
   */
  once(claim: Claim, work: (context: Context) => unknown): Promise<Verdict>
}
