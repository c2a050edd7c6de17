/** A simulated Clerk that lives while `dev` runs: its traffic, and its Backend API for comparisons. */

import type { SimulatedTraffic } from '../dashboard/index.ts'
import type { ClerkEvent } from '../index.ts'
import {
  type BackendApi,
  createSimulatedClerk,
  createSimulatedSvix,
  type SimulatedClerk,
  type SimulatedSvix,
  type SimulatedSvixOptions,
  startBackendApi,
} from '../testing/index.ts'
import { actNow, liveTraffic, type Pace } from './pace.ts'

/** Svix’s next tries after 5 s, 5 min and 30 min come after 80 ms, 5 s and 30 s. */
const TIME_SCALE = 1 / 60
const USERS = 20
/** The users of the start were created before now; each takes less than a second of the simulated clock. */
const HISTORY_MS = USERS * 1_000

interface SimulationOptions {
  /** The same seed, the same people who do the same things. */
  readonly seed: number
  /** Milliseconds from one action to the next. */
  readonly rate: number
}

interface Route {
  readonly url: string
  readonly secret: readonly string[]
}

export class Simulation implements SimulatedTraffic {
  /** How many users there are at the start. */
  readonly users = USERS
  readonly api: BackendApi
  readonly #clerk: SimulatedClerk
  readonly #seed: number
  readonly #pace: Pace & { rate: number }
  #route: Route | undefined
  #svix: SimulatedSvix | undefined
  /** Resolved while it is not paused. */
  #going = Promise.withResolvers<void>()
  #isPaused = false

  static async start(options: SimulationOptions): Promise<Simulation> {
    const startAt = Date.now() - HISTORY_MS
    const clerk = createSimulatedClerk({ seed: options.seed, startAt, maxPauseMs: 1 })
    return new Simulation(clerk, await startBackendApi(clerk), options)
  }

  private constructor(clerk: SimulatedClerk, api: BackendApi, options: SimulationOptions) {
    this.#clerk = clerk
    this.api = api
    this.#seed = options.seed
    this.#pace = { users: USERS, rate: options.rate, count: Number.POSITIVE_INFINITY }
    this.#going.resolve()
  }

  get seed(): number {
    return this.#seed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get isRunning(): boolean {
    return !this.#isPaused
  }

  get perSecond(): number {
    return 1_000 / this.#pace.rate
  }

  readonly scenarios = SCENARIOS.map(({ name, text }) => ({ name, text }))

  change({ isRunning = this.isRunning, perSecond = this.perSecond }): void {
    this.#pace.rate = 1_000 / perSecond
    if (isRunning === this.#isPaused) this.toggle()
  }

  /** On a way of its own, so that only its events arrive as badly as it says. */
  async play(name: string): Promise<number> {
    const scenario = SCENARIOS.find((each) => each.name === name)
    if (!scenario || !this.#route) return 0
    const events = await actNow(this.#clerk, undefined, scenario.act)
    await using svix = createSimulatedSvix({ ...this.#route, timeScale: TIME_SCALE, ...scenario.delivery })
    svix.send(events)
    await svix.settled()
    return events.length
  }

  /** Sends the simulated events until it is stopped. */
  async run({ url, secret }: Route, signal: AbortSignal): Promise<void> {
    await using svix = createSimulatedSvix({ url, secret, seed: this.#seed, timeScale: TIME_SCALE })
    this.#svix = svix
    this.#route = { url, secret }
    signal.addEventListener('abort', () => this.#resume(), { once: true })
    for await (const events of liveTraffic(this.#clerk, this.#pace, signal)) {
      await this.#going.promise
      if (!signal.aborted) svix.send(events)
    }
  }

  /** Lets somebody sign up, paused or not. */
  async act(): Promise<void> {
    this.#svix?.send(await actNow(this.#clerk, undefined, (clerk) => clerk.act('createUser')))
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

interface PlayedScenario {
  readonly name: string
  readonly text: string
  /** How badly its events arrive. */
  readonly delivery: Partial<SimulatedSvixOptions>
  act(clerk: SimulatedClerk): ClerkEvent[]
}

const SCENARIOS: readonly PlayedScenario[] = [
  {
    name: 'signups',
    text: '50 people sign up',
    delivery: {},
    act: (clerk) => repeat(50, () => clerk.act('createUser')),
  },
  {
    name: 'team',
    text: 'A team of 5 comes together and is deleted',
    delivery: {},
    act: actTeam,
  },
  {
    name: 'duplicates',
    text: '20 changes, each delivered twice',
    delivery: { duplicates: 1 },
    act: (clerk) => repeat(20, () => clerk.act('updateUser')),
  },
  {
    name: 'disorder',
    text: '20 changes of one user, newer ones first',
    delivery: { reorder: 0.5 },
    act: actOnOne,
  },
  {
    name: 'forgeries',
    text: '10 changes, each with a forged copy before it',
    delivery: { forgeries: 1 },
    act: (clerk) => repeat(10, () => clerk.act('updateUser')),
  },
]

function actTeam(clerk: SimulatedClerk): ClerkEvent[] {
  const created = clerk.act('createOrganization')
  const id = created.find(({ type }) => type === 'organization.created')?.data.id as string
  return [...created, ...repeat(5, () => clerk.act('addMember', id)), ...clerk.act('deleteOrganization', id)]
}

function actOnOne(clerk: SimulatedClerk): ClerkEvent[] {
  const created = clerk.act('createUser')
  const id = created[0]?.data.id as string
  return [...created, ...repeat(20, () => clerk.act('updateUser', id))]
}

function repeat(times: number, act: () => ClerkEvent[]): ClerkEvent[] {
  return Array.from({ length: times }, act).flat()
}
