/** A simulated Clerk that lives while `dev` runs: its traffic, and its Backend API for whoever wants to compare. */

import {
  type BackendApi,
  createSimulatedClerk,
  createSimulatedSvix,
  type SimulatedClerk,
  type SimulatedSvix,
  startBackendApi,
} from '../../testing/index.ts'
import { liveTraffic } from '../live-traffic.ts'

/** Svix’s next tries after 5 s, 5 min and 30 min come after 80 ms, 5 s and 30 s. */
const TIME_SCALE = 1 / 60
const USERS = 20

export interface SimulationOptions {
  /** The same seed, the same people who do the same things. */
  readonly seed: number
  /** Milliseconds from one action to the next. */
  readonly rate: number
}

export interface Route {
  readonly url: string
  readonly secret: readonly string[]
}

export class Simulation {
  /** How many users there are at the start. */
  readonly users = USERS
  readonly api: BackendApi
  readonly #clerk: SimulatedClerk
  readonly #options: SimulationOptions
  #svix: SimulatedSvix | undefined
  /** Resolved while it is not paused. */
  #going = Promise.withResolvers<void>()
  #isPaused = false

  static async start(options: SimulationOptions): Promise<Simulation> {
    const clerk = createSimulatedClerk({ seed: options.seed, startAt: Date.now() })
    return new Simulation(clerk, await startBackendApi(clerk), options)
  }

  private constructor(clerk: SimulatedClerk, api: BackendApi, options: SimulationOptions) {
    this.#clerk = clerk
    this.api = api
    this.#options = options
    this.#going.resolve()
  }

  get seed(): number {
    return this.#options.seed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Sends what happens, until it is told to end. */
  async run({ url, secret }: Route, signal: AbortSignal): Promise<void> {
    const { seed, rate } = this.#options
    await using svix = createSimulatedSvix({ url, secret, seed, timeScale: TIME_SCALE })
    this.#svix = svix
    signal.addEventListener('abort', () => this.#resume(), { once: true })
    const pace = { users: USERS, rate, count: Number.POSITIVE_INFINITY }
    for await (const events of liveTraffic(this.#clerk, pace, signal)) {
      await this.#going.promise
      if (!signal.aborted) svix.send(events)
    }
  }

  /** Lets somebody sign up, paused or not. */
  act(): void {
    this.#svix?.send(this.#clerk.act('createUser'))
  }

  toggle(): void {
    if (this.#isPaused) this.#resume()
    else this.#pause()
  }

  #pause(): void {
    this.#isPaused = true
    this.#going = Promise.withResolvers<void>()
  }

  #resume(): void {
    this.#isPaused = false
    this.#going.resolve()
  }

  async close(): Promise<void> {
    await this.api.close()
  }
}
