/** Derives the alerts from the numbers of a sync. Pure. */

import { countOf } from '../count-of.ts'
import type { Vitals } from '../inspect/vitals.ts'

export type TroubleName =
  | 'dead_runs'
  | 'no_worker'
  | 'no_events'
  | 'failed_events'
  | 'drift'
  | 'refused_requests'

/** Something that lasts, in numbers and names of handlers: never what an event says. */
export interface Trouble {
  readonly name: TroubleName
  readonly summary: string
}

/** Silence shorter than this says nothing. */
const MIN_SILENCE_SECONDS = 15 * 60
/** A silence longer than this many usual gaps is no coincidence. */
const UNUSUAL = 20
/** Per ten minutes. Fewer are internet scanners. */
const MANY_REFUSALS = 10
const MAX_NAMES = 3

export function troublesOf(vitals: Vitals): Trouble[] {
  const { dueRunsWithoutWorker, failedEvents, reconcile } = vitals
  return [
    deadRuns(vitals),
    dueRunsWithoutWorker > 0 && {
      name: 'no_worker' as const,
      summary: `No worker is alive for ${countOf(dueRunsWithoutWorker, 'due handler run')}`,
    },
    noEvents(vitals),
    failedEvents > 0 && {
      name: 'failed_events' as const,
      summary: `${countOf(failedEvents, 'event')} could not be applied`,
    },
    reconcile !== null &&
      reconcile.drift > 0 && {
        name: 'drift' as const,
        summary: `${countOf(reconcile.drift, 'row')} differed from Clerk in the last reconcile`,
      },
    refused(vitals),
  ].filter((each) => each !== false && each !== undefined)
}

function deadRuns({ deadRuns: byHandler }: Vitals): Trouble | undefined {
  const sum = total(byHandler)
  if (sum === 0) return undefined
  return {
    name: 'dead_runs',
    summary: `${countOf(sum, 'handler run')} exhausted all retries (${namesOf(byHandler)})`,
  }
}

function noEvents({ lastEventAge, usualGap }: Vitals): Trouble | undefined {
  if (lastEventAge === null || usualGap === null) return undefined
  if (lastEventAge < Math.max(MIN_SILENCE_SECONDS, UNUSUAL * usualGap)) return undefined
  return { name: 'no_events', summary: `No event has arrived for ${Math.floor(lastEventAge / 60)} minutes` }
}

/** A server that stops refuses some deliveries, which come again. */
function refused({ refusals }: Vitals): Trouble | undefined {
  const counted = new Map([...refusals].filter(([code]) => code !== 'shutting_down'))
  const sum = total(counted)
  if (sum <= MANY_REFUSALS) return undefined
  return {
    name: 'refused_requests',
    summary: `${sum} requests were refused in the last ten minutes (${namesOf(counted)})`,
  }
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

/** The most frequent first: "syncCrm: 3, welcome: 1" */
function namesOf(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  const names = sorted.slice(0, MAX_NAMES).map(([name, count]) => `${name}: ${count}`)
  return names.join(', ') + (sorted.length > MAX_NAMES ? ', …' : '')
}
