/**
 * What is new, as it comes: one look at the database a second for all who watch, and none while nobody does.
 */

import { ClerkSyncError } from '../errors.ts'
import { readItems } from '../inspect/event-list.ts'
import { listJobs } from '../inspect/jobs.ts'
import { type Reading, type ReadSource, read } from '../inspect/reading.ts'
import type { LiveMessage, Overview } from './api.ts'

const LOOK_EVERY_MS = 1_000
/** The overview and the jobs are refreshed on every nth poll. */
const RARELY = 2
const SHOWN_EVENTS = 50
const MAX_WATCHERS = 100
const HEARTBEAT_MS = 15_000
/** Then the browser asks again, and must still be allowed to. */
const LIFETIME_MS = 10 * 60_000
/** Events are dated when their transaction begins, and may show up that much later. */
const OVERLAP = `interval '3 seconds'`

export interface LiveOptions {
  readonly source: ReadSource
  readonly isMasked: boolean
  readonly overview: () => Promise<Overview>
}

type Watcher = (chunk: string) => void

export class Live {
  readonly #options: LiveOptions
  readonly #watchers = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined
  #looks = 0
  /** Where the last look ended, and what it saw around there. */
  #position: string | undefined
  #seen = new Set<string>()
  readonly #sent = new Map<string, string>()

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** @throws {ClerkSyncError} `feature_unavailable` when too many watch */
  stream(signal: AbortSignal): ReadableStream<Uint8Array> {
    if (this.#watchers.size >= MAX_WATCHERS) {
      throw new ClerkSyncError('feature_unavailable', 'too many watch already; ask again from time to time')
    }
    let leave = () => {}
    return new ReadableStream({
      start: (controller) => {
        leave = this.#join(controller, signal)
      },
      cancel: () => leave(),
    })
  }

  #join(controller: ReadableStreamDefaultController<Uint8Array>, signal: AbortSignal): () => void {
    const encoder = new TextEncoder()
    const watcher: Watcher = (chunk) => {
      // Who does not read is not waited for.
      if ((controller.desiredSize ?? 0) > -SHOWN_EVENTS) controller.enqueue(encoder.encode(chunk))
    }
    const heartbeat = setInterval(() => watcher(':\n\n'), HEARTBEAT_MS).unref()
    const leave = () => {
      clearInterval(heartbeat)
      clearTimeout(lifetime)
      if (!this.#watchers.delete(watcher)) return
      if (this.#watchers.size === 0) this.#stop()
      try {
        controller.close()
      } catch {
        // The other end closed it first.
      }
    }
    const lifetime = setTimeout(leave, LIFETIME_MS).unref()
    signal.addEventListener('abort', leave, { once: true })
    this.#watchers.add(watcher)
    watcher('retry: 2000\n\n')
    this.#timer ??= setTimeout(() => void this.#look(), 0).unref()
    return leave
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#position = undefined
    this.#seen.clear()
    this.#sent.clear()
  }

  async #look(): Promise<void> {
    // A database that does not answer is looked at again: the pages themselves say what is wrong.
    await this.#broadcast().catch(() => undefined)
    if (this.#watchers.size === 0) return
    this.#timer = setTimeout(() => void this.#look(), LOOK_EVERY_MS).unref()
  }

  async #broadcast(): Promise<void> {
    const { source } = this.#options
    await read(source, (reading) => this.#broadcastEvents(reading))
    if (this.#looks++ % RARELY !== 0) return
    const overview = await this.#options.overview()
    // What only tells the time is nothing new.
    this.#sendIfNew({ kind: 'overview', overview }, { ...overview, at: '', status: overview.status.state })
    const { items: jobs } = await read(source, (reading) => listJobs(reading, { limit: 10 }))
    this.#sendIfNew({ kind: 'jobs', jobs }, jobs)
  }

  async #broadcastEvents(reading: Reading): Promise<void> {
    const events = reading.table('events')
    const rows = await reading.query<{ id: string; at: string }>(
      this.#position === undefined
        ? `select id, received_at::text as at from ${events} order by received_at desc, id desc limit 1000`
        : `select id, received_at::text as at from ${events} where received_at > $1::timestamptz - ${OVERLAP}
           order by received_at desc, id desc limit 1000`,
      this.#position === undefined ? [] : [this.#position],
    )
    const isFirst = this.#position === undefined
    const fresh = isFirst ? [] : rows.map(({ id }) => id).filter((id) => !this.#seen.has(id))
    this.#position = rows[0]?.at ?? this.#position ?? '-infinity'
    this.#seen = new Set(rows.map(({ id }) => id))
    if (fresh.length === 0) return
    const shown = fresh.slice(0, SHOWN_EVENTS).reverse()
    const items = await readItems(reading, shown, this.#options.isMasked)
    this.#send({ kind: 'events', events: items, skipped: fresh.length - shown.length })
  }

  #sendIfNew(message: LiveMessage, essence: unknown): void {
    const text = JSON.stringify(essence)
    if (this.#sent.get(message.kind) === text) return
    this.#sent.set(message.kind, text)
    this.#send(message)
  }

  #send(message: LiveMessage): void {
    const chunk = `data: ${JSON.stringify(message)}\n\n`
    for (const watcher of this.#watchers) watcher(chunk)
  }
}
