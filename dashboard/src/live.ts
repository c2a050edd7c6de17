/**
 * Live updates: server-sent events while the page is visible, or polling every two seconds where no stream gets
 * through. A hidden page holds no connection, because browsers allow only six per server for all tabs.
 */

import { refresh, write } from './answers.ts'
import { addressOf, type EventItem, type LiveMessage } from './api.ts'
import { Store } from './store.ts'

/** `paused`: the page is hidden. */
export type LiveState = 'connecting' | 'live' | 'polling' | 'paused'

export const liveState = new Store<LiveState>('connecting')

/** The events that arrived while the page was there, newest first, and how many there were in all. */
export const arrivals = new Store<{ readonly events: readonly EventItem[]; readonly total: number }>({
  events: [],
  total: 0,
})

const POLL_MS = 2_000
const RECONNECT_MS = 10_000
const MAX_ARRIVALS = 500

let source: EventSource | undefined
let polling: ReturnType<typeof setInterval> | undefined
let reconnecting: ReturnType<typeof setTimeout> | undefined

/** Starts live updates; returns a function that stops them. */
export function followLive(): () => void {
  const look = () => (document.hidden ? pause() : connect())
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    document.removeEventListener('visibilitychange', look)
    pause()
  }
}

function connect(): void {
  close()
  source = new EventSource(new URL(addressOf('GET live', {}), document.baseURI))
  source.onopen = () => {
    clearInterval(polling)
    // Messages do not cover the time before the stream began.
    if (liveState.value !== 'live') refresh()
    liveState.set('live')
  }
  source.onmessage = ({ data }) => take(JSON.parse(String(data)) as LiveMessage)
  source.onerror = () => poll()
}

/** The stream broke or is unavailable. */
function poll(): void {
  close()
  liveState.set('polling')
  polling = setInterval(() => refresh(), POLL_MS)
  reconnecting = setTimeout(connect, RECONNECT_MS)
}

function pause(): void {
  close()
  liveState.set('paused')
}

function close(): void {
  source?.close()
  source = undefined
  clearTimeout(reconnecting)
  clearInterval(polling)
}

function take(message: LiveMessage): void {
  if (message.kind === 'overview') write('GET overview', {}, message.overview)
  else if (message.kind === 'jobs') refresh('jobs')
  else if (message.kind === 'events') takeEvents(message.events, message.skipped)
}

function takeEvents(events: readonly EventItem[], skipped: number): void {
  const { value } = arrivals
  arrivals.set({
    events: [...events.toReversed(), ...value.events].slice(0, MAX_ARRIVALS),
    total: value.total + events.length + skipped,
  })
}
