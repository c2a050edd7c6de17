/** What happened to an event, step by step. Pure. */

import type { Change } from '../database/tables.ts'
import { causeOf } from './cause.ts'
import type { EventItem, EventOutcome, HandlerRun, TimelineStep } from './model.ts'

/** What the ledger knows of an event beside what lists show. */
export interface EventFacts {
  readonly instance_id: string | null
  readonly error: string | null
  readonly last_delivered_at: Date | null
  readonly body_conflict: boolean
  readonly replayed_at: Date | null
  readonly changes: Record<string, Change> | null
  readonly body: Uint8Array | null
  readonly sha256: string
  readonly redacted: boolean
}

type Tone = TimelineStep['tone']

export function timelineOf(item: EventItem, facts: EventFacts, runs: readonly HandlerRun[]): TimelineStep[] {
  const steps = [...eventSteps(item, facts), ...runs.flatMap(runSteps)]
  return steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

const ROWS: Readonly<Record<EventOutcome, readonly [text: string, tone: Tone]>> = {
  applied: ['row up to date', 'good'],
  stale: ['row was newer; kept', 'neutral'],
  ignored: ['not applied', 'neutral'],
  parked: ['parked', 'warning'],
  failed: ['rejected by the database', 'bad'],
}

function eventSteps(item: EventItem, facts: EventFacts): TimelineStep[] {
  const { occurredAt, receivedAt, outcome, reason, source } = item
  const size = facts.body ? `, ${facts.body.byteLength} bytes` : ''
  const arrival: TimelineStep[] =
    source === 'webhook'
      ? [
          toStep(receivedAt, 'received', `received${size}`),
          toStep(receivedAt, 'verified', 'signature verified', 'good'),
        ]
      : [toStep(receivedAt, 'received', `created by ${source}`)]
  const [text, tone] = ROWS[outcome]
  const row = toStep(receivedAt, 'row', reason ? `${text}: ${reason.text}` : text, tone)
  const { last_delivered_at: again, replayed_at: replayed } = facts
  return [
    toStep(occurredAt, 'occurred', 'happened in Clerk'),
    ...arrival,
    toStep(receivedAt, 'stored', 'stored', 'good'),
    row,
    ...(again && item.deliveries > 1
      ? [toStep(again.toISOString(), 'delivered_again', `last of ${item.deliveries} deliveries`)]
      : []),
    ...(replayed ? [toStep(replayed.toISOString(), 'replayed', 'replayed')] : []),
  ]
}

function toStep(at: string, step: TimelineStep['step'], text: string, tone: Tone = 'neutral'): TimelineStep {
  return { at, step, text, tone, handler: null, durationMs: null, isPlanned: false }
}

function runSteps(run: HandlerRun): TimelineStep[] {
  const { handler } = run
  const failures = run.failures.map((failure) => ({
    ...toStep(failure.failedAt, 'run_failed', `${handler} failed: ${causeOf(failure.error)}`, 'bad'),
    handler,
    durationMs: Date.parse(failure.failedAt) - Date.parse(failure.startedAt),
  }))
  return [...failures, ...lastStep(run)]
}

function lastStep(run: HandlerRun): TimelineStep[] {
  const { handler, state, startedAt, finishedAt, nextTryAt, note } = run
  const step = (at: string | null, kind: TimelineStep['step'], text: string, tone: Tone) =>
    at === null ? [] : [{ ...toStep(at, kind, `${handler} ${text}`, tone), handler }]
  switch (state) {
    case 'succeeded': {
      const durationMs = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : null
      return step(finishedAt, 'run_succeeded', 'succeeded', 'good').map((done) => ({ ...done, durationMs }))
    }
    case 'running':
      return step(startedAt, 'run_started', 'started', 'neutral')
    case 'dead':
      return step(finishedAt, 'run_dead', 'exhausted its retries', 'bad')
    case 'discarded':
      return step(finishedAt, 'run_discarded', note ? `discarded: ${note}` : 'discarded', 'neutral')
    case 'pending':
    case 'retrying':
      return step(nextTryAt, 'run_due', 'next retry', 'warning').map((due) => ({
        ...due,
        isPlanned: true,
      }))
  }
}
