/** The database's numbers for a scrape: asked for once, however many metrics and scrapers want them, and never for long. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Vitals } from '../index.ts'

export interface Reading {
  /** Whether the database answered this time, and in time. */
  readonly isUp: boolean
  /** The latest numbers; undefined if there are none, or none that are worth showing. */
  readonly vitals: Vitals | undefined
  readonly seconds: number
}

const TIMEOUT_MS = 2_000
/** Several scrapers come at about the same time. */
const FRESH_MS = 2_000
/** Older numbers would look like the present. */
const STALE_MS = 60_000

export class VitalsCache {
  readonly #read: () => Promise<Vitals>
  readonly #timeoutMs: number
  #latest: { readonly vitals: Vitals; readonly at: number } | undefined
  /** One question at a time: a database that hangs must not be asked ever more often. */
  #asking: Promise<boolean> | undefined
  #reading: { readonly result: Promise<Reading>; readonly at: number } | undefined

  constructor(read: () => Promise<Vitals>, timeoutMs = TIMEOUT_MS) {
    this.#read = read
    this.#timeoutMs = timeoutMs
  }

  /** Never rejects, and resolves within the time limit. */
  get(): Promise<Reading> {
    const now = performance.now()
    if (!this.#reading || now - this.#reading.at > FRESH_MS) this.#reading = { result: this.#look(), at: now }
    return this.#reading.result
  }

  async #look(): Promise<Reading> {
    const startedAt = performance.now()
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    const timer = new AbortController()
    const late = sleep(this.#timeoutMs, false, { signal: timer.signal, ref: false }).catch(() => false)
    const isUp = await Promise.race([this.#asking, late])
    timer.abort()
    const now = performance.now()
    const isRecent = this.#latest !== undefined && now - this.#latest.at < STALE_MS
    return { isUp, vitals: isRecent ? this.#latest?.vitals : undefined, seconds: (now - startedAt) / 1_000 }
  }

  async #ask(): Promise<boolean> {
    try {
      const vitals = await this.#read()
      this.#latest = { vitals, at: performance.now() }
      return true
    } catch {
      return false
    }
  }
}
