/** Answers in ten seconds: is the data up to date, are handlers failing, since when, and which button to press. */

import { useRef } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import type { ChecklistStep, FailureGroup, JobSummary, Overview, ResourceCount } from '../api.ts'
import { useNow } from '../clock.ts'
import { countOf, distance, duration, number, quantity, title, total } from '../format.ts'
import { pathOf } from '../location.ts'
import { EventsChart, LagChart } from '../parts/chart.tsx'
import { Icon } from '../parts/icon.tsx'
import { Mark, type Tone } from '../parts/mark.tsx'
import { Shown } from '../parts/notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { type Range, useRange } from '../parts/range.ts'
import { RangeSwitch } from '../parts/range-switch.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Ago } from '../parts/time.tsx'
import { NewJobButton } from './new-job.tsx'
import { StatusSentence } from './status-sentence.tsx'

const OVERVIEW_MS = 15_000
const TRAFFIC_MS = 10_000

export function OverviewPage() {
  const overview = useAnswer('GET overview', {}, OVERVIEW_MS)
  const range = useRange()
  return (
    <>
      <h1 class="sr">Overview</h1>
      <Shown answer={overview}>
        {(value) => (
          <>
            <StatusSentence status={value.status} />
            {value.checklist && <Checklist steps={value.checklist} />}
            <Figures overview={value} />
            {range && <Charts range={range} />}
            <div class="columns">
              <Failing groups={value.failing} />
              <Resources counts={value.resources} />
            </div>
            {value.jobs.length > 0 && <RunningJobs jobs={value.jobs} />}
          </>
        )}
      </Shown>
    </>
  )
}

function Checklist({ steps }: { readonly steps: readonly ChecklistStep[] }) {
  const next = steps.find(({ isDone }) => !isDone)
  return (
    <section class="card checklist" aria-labelledby="checklist-title">
      <h2 id="checklist-title">Set up</h2>
      <p class="quiet">Each step turns green on its own.</p>
      <ol aria-live="polite">
        {steps.map((step, index) => (
          <li key={step.step} class={step.isDone ? 'done' : step === next ? 'next' : ''}>
            <span class="checklist-mark">{step.isDone ? <Icon name="check" /> : index + 1}</span>
            <div>
              <b>{STEPS[step.step]}</b>
              <span class="sr">{step.isDone ? ' done' : ' to do'}</span>
              <p>{step.text}</p>
            </div>
          </li>
        ))}
      </ol>
    </section>
  )
}

const STEPS: Readonly<Record<ChecklistStep['step'], string>> = {
  receiver_up: 'Server running',
  secret_set: 'Signing secret set',
  first_event: 'First event received',
  backfill: 'Existing data imported',
}

/** A longer lag is highlighted. */
const LAG_LIMIT_MS = 15_000

function Figures({ overview }: { readonly overview: Overview }) {
  const now = useNow()
  const { lastEvent, lag, waiting, notApplied, failingRuns } = overview
  const open = total(notApplied.failed, notApplied.parked, failingRuns)
  return (
    <dl class="figures">
      <Figure
        name="Last event"
        value={lastEvent ? distance(lastEvent.receivedAt, now) : 'None yet'}
        note={lastEvent && <a href={pathOf('events', lastEvent.id)}>{lastEvent.type ?? 'unknown type'}</a>}
      />
      <Figure
        name="Lag (p95, last hour)"
        value={lag.p95Ms === null ? '–' : duration(lag.p95Ms)}
        note={lag.p50Ms === null ? 'no events in the last hour' : `median ${duration(lag.p50Ms)}`}
        tone={lag.p95Ms !== null && lag.p95Ms > LAG_LIMIT_MS ? 'warning' : undefined}
      />
      <Figure
        name="Waiting handler runs"
        value={quantity(waiting.count)}
        note={waiting.oldestAt ? `oldest queued ${distance(waiting.oldestAt, now)}` : 'queue empty'}
      />
      <Figure
        name="Needs attention"
        value={quantity(open)}
        note={
          <>
            {partsOf(overview).join(' · ')}
            {notApplied.rejected.value !== 0 && (
              <>
                {' · '}
                <a href="rejected">{quantity(notApplied.rejected)} rejected</a>
              </>
            )}
          </>
        }
        tone={open.value === 0 ? undefined : 'bad'}
      />
    </dl>
  )
}

/** Only the amounts that are not zero. */
function partsOf({ notApplied: { failed, parked }, failingRuns }: Overview): string[] {
  const parts = [
    [failed, 'not applied'],
    [parked, 'parked'],
    [failingRuns, 'failing in handlers'],
  ] as const
  const present = parts.filter(([{ value }]) => value !== 0)
  return present.length > 0
    ? present.map(([amount, word]) => `${quantity(amount)} ${word}`)
    : ['nothing open']
}

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly note?: preact.ComponentChildren
  readonly tone?: Tone | undefined
}

function Figure({ name, value, note, tone }: FigureProps) {
  return (
    <div class={`figure ${tone ?? ''}`}>
      <dt>
        {name}
        {tone && <Icon name="warning" />}
      </dt>
      <dd class="figure-value">{value}</dd>
      <dd class="figure-note">{note}</dd>
    </div>
  )
}

function Charts({ range }: { readonly range: Range }) {
  const until = range.until === undefined ? {} : { until: range.until }
  const traffic = useAnswer('GET traffic', { query: { since: range.since, ...until } }, TRAFFIC_MS)
  const last = useLast(traffic.value)
  return (
    <section class="card charts" aria-labelledby="charts-title">
      <header class="card-head">
        <h2 id="charts-title">Events {last && <small>per {duration(last.bucketSeconds * 1_000)}</small>}</h2>
        <RangeSwitch range={range} />
      </header>
      <Shown answer={{ ...traffic, value: last }} rows={4}>
        {(value) => (
          <>
            <EventsChart traffic={value} />
            <h3>
              Lag <small>from the change in Clerk to the row here: p95 and median</small>
            </h3>
            <LagChart traffic={value} />
          </>
        )}
      </Shown>
    </section>
  )
}

/** The last known value, while the next one loads: a chart that goes away and comes back flickers. */
function useLast<Value>(value: Value | undefined): Value | undefined {
  const last = useRef(value)
  if (value !== undefined) last.current = value
  return last.current
}

function Failing({ groups }: { readonly groups: readonly FailureGroup[] }) {
  return (
    <section class="card" aria-labelledby="failing-title">
      <header class="card-head">
        <h2 id="failing-title">Failing now</h2>
        <a href="failures">All failures</a>
      </header>
      {groups.length === 0 ? (
        <p class="card-empty">
          <Mark icon="check" tone="good" word="No handlers are failing." />
        </p>
      ) : (
        <ul class="lines">
          {groups.map((group) => (
            <li key={`${group.handler} ${group.fingerprint}`}>
              <a class="line-main" href={`failures?handler=${encodeURIComponent(group.handler)}`}>
                <Mark icon="cross" tone="bad" word={group.handler} />
                <span class="line-text">{group.cause}</span>
              </a>
              <span class="number">{quantity(total(group.retrying, group.dead))}</span>
              <Sparkline values={group.sparkline} label="Failing runs per hour, last 24 hours" />
              <span class="line-note">
                first <Ago at={group.firstAt} /> · last <Ago at={group.lastAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Resources({ counts }: { readonly counts: readonly ResourceCount[] }) {
  const enabled = counts.filter(({ isEnabled }) => isEnabled)
  const checkedAt = enabled.find((each) => each.checkedAt)?.checkedAt ?? null
  return (
    <section class="card" aria-labelledby="resources-title">
      <header class="card-head">
        <h2 id="resources-title">Resources</h2>
        <NewJobButton kind="reconcile" text="Compare now" />
      </header>
      <table class="table dense counts">
        <caption class="sr">Row counts here and in Clerk</caption>
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" class="number">
              Here
            </th>
            <th scope="col" class="number">
              Clerk
            </th>
            <th scope="col" class="number">
              Drift
            </th>
          </tr>
        </thead>
        <tbody>
          {enabled.map((each) => (
            <tr key={each.resource}>
              <th scope="row">
                <a href={pathOf('resources', each.resource)}>{title(each.resource)}</a>
              </th>
              <td class="number">{quantity(each.here)}</td>
              <td class="number">{number(each.clerk)}</td>
              <td class="number">
                <Drift drift={each.drift} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="card-note quiet">
        {checkedAt ? (
          <>
            Compared with Clerk <Ago at={checkedAt} />.
          </>
        ) : (
          'Not compared with Clerk yet.'
        )}
      </p>
    </section>
  )
}

function Drift({ drift }: { readonly drift: number | null }) {
  if (drift === null) return <span class="quiet">–</span>
  return drift === 0 ? (
    <Mark icon="check" tone="good" word="0" />
  ) : (
    <Mark icon="warning" tone="warning" word={number(drift)} />
  )
}

function RunningJobs({ jobs }: { readonly jobs: readonly JobSummary[] }) {
  return (
    <section class="card" aria-labelledby="jobs-title">
      <header class="card-head">
        <h2 id="jobs-title">Jobs</h2>
        <a href="jobs">All jobs</a>
      </header>
      <ul class="lines">
        {jobs.map((job) => (
          <li key={job.id}>
            <a class="line-main" href={pathOf('jobs', job.id)}>
              <span class="line-text">{job.title}</span>
            </a>
            <Progress done={job.done} total={job.total} label={job.title} />
            <span class="line-note">
              {number(job.done)} of {countOf(job.total, 'item')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
