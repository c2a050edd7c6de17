/** What happens in a simulated Clerk, at the pace of a clock on the wall. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ClerkEvent } from '../index.ts'
import type { SimulatedClerk } from '../testing/index.ts'

export interface Pace {
  /** How many users there are at the start. */
  readonly users: number
  /** Milliseconds from one action to the next; may change on the way. */
  readonly rate: number
  /** How many actions there are after the start. */
  readonly count: number
}

/** After a pause what did not happen is not made up for; only hiccups are. */
const MAX_BACKLOG_MS = 1_000

/** What happens next, once the real clock has reached the time at which it happened. */
export async function actNow(
  clerk: SimulatedClerk,
  signal: AbortSignal | undefined,
  act: (clerk: SimulatedClerk) => ClerkEvent[] = (each) => each.act(),
): Promise<ClerkEvent[]> {
  clerk.advanceTo(Date.now())
  const events = act(clerk)
  // Each change takes a few of its milliseconds; an event from the future would look like a wrong clock.
  await untilClock(clerk.now, signal)
  return events
}

/** A timer may end a millisecond before the clock has come so far. */
async function untilClock(time: number, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal }
  while (Date.now() < time && !signal?.aborted) {
    await sleep(time - Date.now(), undefined, options).catch(() => undefined)
  }
}

/** The users of the start at once, then one thing after the other. */
export async function* liveTraffic(clerk: SimulatedClerk, pace: Pace, signal: AbortSignal) {
  for (let user = 0; user < pace.users; user++) yield clerk.act('createUser')
  let due = performance.now()
  for (let action = 0; action < pace.count; action++) {
    await sleep(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    due = Math.max(due + pace.rate, performance.now() - MAX_BACKLOG_MS)
    yield await actNow(clerk, signal)
  }
}
