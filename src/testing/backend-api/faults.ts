/** Faults of the simulated Backend API: at random by a seed, or once on request. */

import { Random } from '../random.ts'

/**
 * - `slow`: the answer comes late
 * - `server_error`: 500 with an error as JSON
 * - `html_page`: 502 with the HTML page of a proxy
 * - `truncated`: 200 with the first half of the JSON, as if that were all
 * - `dropped`: the connection ends before the answer, or in the middle of it
 * - `throttled`: 429 with `Retry-After`
 */
export type BackendFault = 'slow' | 'server_error' | 'html_page' | 'truncated' | 'dropped' | 'throttled'

/** The share of requests, 0 to 1, that each fault befalls. At most one befalls a request. */
export type FaultRates = Readonly<Partial<Record<BackendFault, number>>>

export interface FailNextOptions {
  /**
   * Only requests whose path, without `/v1`, begins so.
   * @default any
   */
  path?: string | undefined
  /**
   * How many requests.
   * @default 1
   */
  times?: number | undefined
}

interface Planned {
  readonly fault: BackendFault
  /** The beginning of the path; every path has the empty one. */
  readonly path: string
  /** How many requests are left for it to befall. */
  left: number
}

export class Faults {
  readonly #rates: FaultRates
  readonly #random: Random
  #planned: Planned[] = []

  constructor(rates: FaultRates, seed: number) {
    this.#rates = rates
    this.#random = new Random(seed, FAULTS)
  }

  plan(fault: BackendFault, { path = '', times = 1 }: FailNextOptions = {}): void {
    this.#planned.push({ fault, path, left: times })
  }

  /** What befalls this request. Each takes one number from the seed, whatever comes of it. */
  next(path: string): BackendFault | undefined {
    const drawn = this.#draw()
    const planned = this.#planned.find((each) => path.startsWith(each.path))
    if (planned === undefined) return drawn
    planned.left--
    this.#planned = this.#planned.filter(({ left }) => left > 0)
    return planned.fault
  }

  #draw(): BackendFault | undefined {
    let left = this.#random.fraction()
    const entries = Object.entries(this.#rates) as [BackendFault, number][]
    return entries.find(([, rate]) => {
      left -= rate
      return left < 0
    })?.[0]
  }
}

/** The stream of the seed that is for faults. */
const FAULTS = 1
