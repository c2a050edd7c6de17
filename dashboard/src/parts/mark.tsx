/** A state as a shape, a word and a colour, so that any one of them is enough. */

import type { ComponentChildren } from 'preact'
import type { Check, EventItem, HealthState, JobLine, JobState, RunState } from '../api.ts'
import { Icon, type IconName } from './icon.tsx'

export type Tone = 'good' | 'warning' | 'bad' | 'info' | 'quiet'

export interface Verdict {
  readonly icon: IconName
  readonly tone: Tone
  readonly word: string
}

const verdict = (icon: IconName, tone: Tone, word: string): Verdict => ({ icon, tone, word })

export function Mark({ icon, tone, word, children }: Verdict & { readonly children?: ComponentChildren }) {
  return (
    <span class={`mark ${tone}`}>
      <Icon name={icon} />
      {word}
      {children}
    </span>
  )
}

/** The state of an event: of its rows first, then of its handlers. */
export function verdictOf(event: EventItem): Verdict {
  if (event.outcome !== 'applied') return OUTCOMES[event.outcome]
  const { runs } = event
  if (runs.dead) return verdict('cross', 'bad', 'handler failed')
  if (runs.retrying) return verdict('warning', 'warning', 'handler failing')
  if (runs.running) return verdict('jobs', 'info', 'handler running')
  if (runs.pending) return verdict('clock', 'info', 'handler queued')
  return OUTCOMES.applied
}

export const OUTCOMES: Readonly<Record<EventItem['outcome'], Verdict>> = {
  applied: verdict('check', 'good', 'applied'),
  stale: verdict('wave', 'quiet', 'stale'),
  ignored: verdict('skip', 'quiet', 'ignored'),
  parked: verdict('inbox', 'warning', 'parked'),
  failed: verdict('cross', 'bad', 'not applied'),
}

export const RUNS: Readonly<Record<RunState, Verdict>> = {
  pending: verdict('clock', 'info', 'queued'),
  running: verdict('jobs', 'info', 'running'),
  retrying: verdict('warning', 'warning', 'retrying'),
  succeeded: verdict('check', 'good', 'succeeded'),
  dead: verdict('cross', 'bad', 'out of retries'),
  discarded: verdict('skip', 'quiet', 'discarded'),
}

export const STATES: Readonly<Record<HealthState, Verdict>> = {
  empty: verdict('inbox', 'info', 'Nothing yet'),
  healthy: verdict('check', 'good', 'Healthy'),
  degraded: verdict('warning', 'warning', 'Degraded'),
  blind: verdict('eye', 'bad', 'Blind'),
  down: verdict('cross', 'bad', 'Down'),
}

export const JOBS: Readonly<Record<JobState, Verdict>> = {
  running: verdict('jobs', 'info', 'running'),
  paused: verdict('pause', 'warning', 'paused'),
  aborting: verdict('cross', 'warning', 'stopping'),
  done: verdict('check', 'good', 'done'),
  incomplete: verdict('warning', 'warning', 'incomplete'),
  aborted: verdict('cross', 'quiet', 'aborted'),
  failed: verdict('cross', 'bad', 'failed'),
  lost: verdict('cross', 'bad', 'lost'),
}

export const LINES: Readonly<Record<JobLine['state'], Verdict>> = {
  waiting: verdict('clock', 'quiet', 'waiting'),
  running: verdict('jobs', 'info', 'running'),
  done: verdict('check', 'good', 'done'),
  incomplete: verdict('warning', 'warning', 'incomplete'),
  disabled: verdict('skip', 'quiet', 'not available'),
  failed: verdict('cross', 'bad', 'failed'),
}

export const CHECKS: Readonly<Record<Check['status'], Verdict>> = {
  pass: verdict('check', 'good', 'passed'),
  warn: verdict('warning', 'warning', 'warning'),
  fail: verdict('cross', 'bad', 'failed'),
  skip: verdict('skip', 'quiet', 'skipped'),
}
