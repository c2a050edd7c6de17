/** SIGINT and SIGTERM: the first asks a command to end well, the second ends it at once. */

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** Resolves to the first signal. */
  readonly happened: Promise<NodeJS.Signals>
  /** Leaves signals to Node again. */
  dispose(): void
}

/** A command ended early, and well, because of a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: NodeJS.Signals

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function listenForInterruption(): Interruption {
  const controller = new AbortController()
  const { promise: happened, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) dieOf(name)
    resolve(name)
    controller.abort()
  }
  const dispose = () => {
    for (const name of SIGNALS) process.off(name, listener)
  }
  for (const name of SIGNALS) process.on(name, listener)
  return { signal: controller.signal, happened, dispose }
}

/** Ends the process by the real signal, so that a shell knows that it was interrupted and stops its script too. */
export function dieOf(name: NodeJS.Signals): void {
  process.removeAllListeners(name)
  process.kill(process.pid, name)
}
