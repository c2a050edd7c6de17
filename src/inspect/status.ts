/** The headline of the dashboard and of `clerk-sync status`: one sentence. Pure. */

import { countOf } from '../count-of.ts'
import { causeOf } from './cause.ts'
import type {
  ChecklistStep,
  FailureGroup,
  Quantity,
  RejectedGroup,
  Status,
  Suggestion,
  Time,
} from './model.ts'
import { describeQuantity } from './quantity.ts'
import { detailOf } from './refusals.ts'
import type { WaitingWork } from './waiting-work.ts'

/** The facts that decide the sentence. */
export interface StatusFacts {
  readonly at: Time
  readonly lastEventAt: Time | null
  /** The usual gap between events, in milliseconds; null: unknown. */
  readonly usualGapMs: number | null
  /** The worst first. */
  readonly failing: readonly FailureGroup[]
  /** Their runs, added up. */
  readonly failingRuns: Quantity
  /** Events that the database refused, and since when. */
  readonly failed: Quantity
  readonly failedSince: Time | null
  /** The refusals of the last hour that are the sender's fault or our secret's. */
  readonly rejected: readonly RejectedGroup[]
  readonly checklist: readonly ChecklistStep[] | null
  /** Runs that are due while no worker is there; null if one is, or nothing waits. */
  readonly waitingWork: WaitingWork | null
}

/** Shorter silence is normal. */
const MIN_SILENCE_MS = 15 * 60_000
/** Silence this many times longer than the usual gap is reported. */
const UNUSUAL = 20

export function statusOf(facts: StatusFacts): Status {
  return (
    empty(facts) ??
    nobodyWorks(facts) ??
    handlersFail(facts) ??
    eventsFailed(facts) ??
    crossWired(facts) ??
    rejects(facts) ??
    blind(facts) ??
    healthy(facts)
  )
}

/** The sentence where the database itself cannot be asked. */
export function statusOfOutage(message: string): Status {
  return {
    state: 'down',
    sentence: `Down: ${lowerFirst(message)}`,
    data: 'Deliveries are answered with 503. Nothing is lost: Svix retries them.',
    since: null,
    suggestions: [{ action: 'run_checks' }],
  }
}

function empty({ lastEventAt }: StatusFacts): Status | undefined {
  if (lastEventAt !== null) return undefined
  return {
    state: 'empty',
    sentence: 'Ready: no events received yet.',
    data: 'The tables stay empty until the first event or backfill.',
    since: null,
    suggestions: [{ action: 'send_test_event' }],
  }
}

/** The remedy when runs are due and no worker is running. */
export const START_A_WORKER =
  'Start a worker: call sync.work() in a server, run `clerk-sync start`, or call the drain route from a cron job.'

/** `12 handler runs are due, but no worker has been seen for 3 min` */
export function describeWaitingWork({ due, workerSeenAt }: WaitingWork, at: Time): string {
  const runs = due.value === 1 ? '1 handler run is due' : `${describeQuantity(due)} handler runs are due`
  if (workerSeenAt === null) return `${runs}, but no worker has ever been seen`
  const minutes = Math.max(1, Math.floor((Date.parse(at) - Date.parse(workerSeenAt)) / 60_000))
  return `${runs}, but no worker has been seen for ${minutes < 120 ? `${minutes} min` : duration(minutes * 60_000)}`
}

function nobodyWorks({ at, waitingWork }: StatusFacts): Status | undefined {
  if (waitingWork === null) return undefined
  return {
    state: 'degraded',
    sentence: `Degraded: ${describeWaitingWork(waitingWork, at)}.`,
    data: `Rows are up to date. ${START_A_WORKER}`,
    since: waitingWork.workerSeenAt,
    suggestions: [{ action: 'run_checks' }],
  }
}

function handlersFail(facts: StatusFacts): Status | undefined {
  const [worst] = facts.failing
  if (worst === undefined) return undefined
  const count = facts.failingRuns
  const handlers = new Set(facts.failing.map(({ handler }) => handler))
  const where = handlers.size === 1 ? `in handler ${worst.handler}` : `in ${handlers.size} handlers`
  const since = facts.failing.map(({ firstAt }) => firstAt).sort()[0] ?? null
  const failures = {
    action: 'open_failures',
    handler: handlers.size === 1 ? worst.handler : null,
    count,
  } as const
  const pause: Suggestion[] = worst.isPaused ? [] : [{ action: 'pause_handler', handler: worst.handler }]
  return {
    state: 'degraded',
    sentence: `Degraded: ${events(count, 'has failed', 'have failed')} ${where} since ${clock(since, facts.at)}: ${causeOf(worst.error)}.`,
    data: dataSentence(facts),
    since,
    suggestions: [
      failures,
      { action: 'retry_one', handler: worst.handler, eventId: worst.sampleEventId },
      ...pause,
    ],
  }
}

function eventsFailed(facts: StatusFacts): Status | undefined {
  if (!facts.failed.value) return undefined
  const refused = events(facts.failed, 'has been', 'have been')
  return {
    state: 'degraded',
    sentence: `Degraded: ${refused} rejected by the database since ${clock(facts.failedSince, facts.at)}.`,
    data: dataSentence(facts),
    since: facts.failedSince,
    suggestions: [{ action: 'open_events', outcome: 'failed', count: facts.failed }],
  }
}

/** Rejected requests matter if no valid one followed: the sender is probably Clerk. */
function rejects({ at, rejected, lastEventAt }: StatusFacts): Status | undefined {
  const [worst] = rejected.filter(({ lastAt }) => lastEventAt === null || lastAt > lastEventAt)
  if (worst === undefined || worst.count < 3) return undefined
  const since = clock(worst.firstAt, at)
  return {
    state: 'degraded',
    sentence: `Degraded: ${worst.count} requests have been rejected since ${since} and no event has arrived: ${lowerFirst(worst.summary).replace(/\.$/, '')}.`,
    data: 'Clerk retries rejected deliveries for about a day; fix the cause and they will arrive.',
    since: worst.firstAt,
    suggestions: [{ action: 'open_rejected', code: worst.code }, { action: 'run_checks' }],
  }
}

/** Other events arrive all the while, so that nothing else would show it. */
function crossWired({ at, rejected }: StatusFacts): Status | undefined {
  const group = rejected.find(({ code }) => code === 'secret_of_other_instance')
  if (group === undefined) return undefined
  const requests = `${countOf(group.count, 'event')} ${group.count === 1 ? 'was' : 'were'}`
  return {
    state: 'degraded',
    sentence: `Degraded: ${requests} refused since ${clock(group.firstAt, at)}: ${detailOf(group.samples[0]?.message ?? '')}.`,
    data: 'None of them was applied. Delete the endpoint of the other instance in Clerk, or correct what the secret is bound to.',
    since: group.firstAt,
    suggestions: [{ action: 'open_rejected', code: group.code }, { action: 'run_checks' }],
  }
}

function blind({ at, lastEventAt, usualGapMs }: StatusFacts): Status | undefined {
  if (lastEventAt === null || usualGapMs === null) return undefined
  const silence = Date.parse(at) - Date.parse(lastEventAt)
  if (silence < Math.max(MIN_SILENCE_MS, UNUSUAL * usualGapMs)) return undefined
  return {
    state: 'blind',
    sentence: `Blind: no events for ${duration(silence)}; the usual gap is ${duration(usualGapMs)}.`,
    data: 'Rows are as of the last event. Either nothing changed in Clerk, or its events are not getting through.',
    since: lastEventAt,
    suggestions: [{ action: 'open_clerk_deliveries' }, { action: 'run_checks' }],
  }
}

function healthy(facts: StatusFacts): Status {
  const age = Date.parse(facts.at) - Date.parse(facts.lastEventAt as Time)
  return {
    state: 'healthy',
    sentence: `Healthy: last event ${duration(Math.max(0, age))} ago.`,
    data: dataSentence(facts),
    since: null,
    suggestions: [],
  }
}

/** Whether rows are right, apart from handlers. */
function dataSentence({ failed }: StatusFacts): string {
  if (!failed.value) return 'Rows are up to date. Nothing is lost.'
  return `Rows are up to date except for ${events(failed, 'event', 'events', false)}, which you can replay. Nothing is lost.`
}

function events(count: Quantity, singular: string, plural: string, named = true): string {
  const isOne = count.value === 1
  const words = [describeQuantity(count), named && (isOne ? 'event' : 'events'), isOne ? singular : plural]
  return words.filter(Boolean).join(' ')
}

/** The time of today, with the date if it was another day; UTC. */
function clock(time: Time | null, now: Time): string {
  if (time === null) return 'an unknown time'
  const [date, hours] = [time.slice(0, 10), time.slice(11, 16)]
  return date === now.slice(0, 10) ? `${hours} UTC` : `${date} ${hours} UTC`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** `3h 12m`, `4m 0s`, `12s` */
function duration(milliseconds: number): string {
  const index = UNITS.findIndex(([, size]) => milliseconds >= size)
  const [first, second] = UNITS.slice(index === -1 ? UNITS.length - 1 : index)
  if (first === undefined) return '0s'
  const large = `${Math.floor(milliseconds / first[1])}${first[0]}`
  if (second === undefined) return large
  return `${large} ${Math.floor((milliseconds % first[1]) / second[1])}${second[0]}`
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
