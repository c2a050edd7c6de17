/** How a signal ends a command: the first one asks for it, a second one kills. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Output } from './output.ts'

/** A command ended early, and well, because of a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }
}

/** Disposed of, it leaves signals to Node again. */
export interface Interruption extends Disposable {
  /** Aborted by the first signal, for the reason {@link Interrupted}. */
  readonly signal: AbortSignal
  /** Resolves to the first signal. */
  readonly happened: Promise<NodeJS.Signals>
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function listenForInterruption(): Interruption {
  const controller = new AbortController()
  const { promise: happened, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) dieOf(name)
    resolve(name)
    controller.abort(new Interrupted(name))
  }
  for (const name of SIGNALS) process.on(name, listener)
  return {
    signal: controller.signal,
    happened,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, listener)
    },
  }
}

/**
 * Work that a signal stops.
 * @param toNote what that means, for people
 */
export async function interruptible<Result>(
  output: Output,
  work: (signal: AbortSignal) => Promise<Result>,
  toNote?: () => string,
): Promise<Result> {
  using interruption = listenForInterruption()
  const { signal } = interruption
  try {
    return await work(signal).finally(() => output.progress(''))
  } catch (error) {
    if (!signal.aborted) throw error
    if (toNote) output.note(toNote())
    throw signal.reason
  }
}

/** Looks again and again, and shows what it finds whenever its essence has changed, until a signal comes. */
export async function watchChanges<Found>(
  everyMs: number,
  look: () => Promise<Found>,
  essenceOf: (found: Found) => string,
  show: (found: Found) => void,
): Promise<void> {
  using interruption = listenForInterruption()
  const { signal } = interruption
  let shown: string | undefined
  while (!signal.aborted) {
    const found = await look()
    const essence = essenceOf(found)
    if (essence !== shown) show(found)
    shown = essence
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Ends the process by the real signal, so that a shell knows that it was interrupted and stops its script too. */
export function dieOf(name: NodeJS.Signals): void {
  process.removeAllListeners(name)
  process.kill(process.pid, name)
}
