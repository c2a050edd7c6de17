/** Failing runs grouped by cause: retry one to test the fix, then retry the rest. */

import { useAnswer } from '../answers.ts'
import type { BulkTarget, FailedRun, FailureGroup, HandlerSummary, ResolvedGroup } from '../api.ts'
import { countOf, quantity } from '../format.ts'
import { pathOf, usePlace, withQuery } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Icon } from '../parts/icon.tsx'
import { Mark, RUNS } from '../parts/mark.tsx'
import { Menu } from '../parts/menu.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { Ago } from '../parts/time.tsx'
import { has, may } from '../session.ts'
import { About } from './about.tsx'
import { BulkButton } from './bulk.tsx'
import {
  DiscardButton,
  muteGroup,
  PauseButton,
  ResumeButton,
  retryRun,
  unmuteGroup,
} from './handler-actions.tsx'
import { usePages } from './use-pages.ts'

const FAILURES_MS = 5_000

export function FailuresPage() {
  const { query } = usePlace()
  const answer = useAnswer('GET failures', {}, FAILURES_MS)
  const handlers = useAnswer('GET handlers', {}, FAILURES_MS)
  const handler = query.get('handler')
  const isShown = (group: { readonly handler: string }) => handler === null || group.handler === handler
  return (
    <>
      <header class="page-head">
        <h1>Failures</h1>
        {handler !== null && (
          <a class="button plain" href={withQuery({ handler: undefined, group: undefined })}>
            Only {handler} <Icon name="cross" />
          </a>
        )}
      </header>
      <Paused handlers={handlers.value?.handlers ?? []} />
      <Shown answer={answer}>
        {({ groups, resolved }) => (
          <Groups groups={groups.filter(isShown)} resolved={resolved.filter(isShown)} />
        )}
      </Shown>
    </>
  )
}

type GroupState = 'open' | 'muted' | 'resolved'

interface GroupsProps {
  readonly groups: readonly FailureGroup[]
  readonly resolved: readonly ResolvedGroup[]
}

function Groups({ groups, resolved }: GroupsProps) {
  const { query } = usePlace()
  const { open = [], muted = [] } = Object.groupBy(groups, ({ mutedUntil }) =>
    mutedUntil ? 'muted' : 'open',
  )
  const current = stateIn(query)
  const shown = { open, muted, resolved: [] }[current]
  const count = current === 'resolved' ? resolved.length : shown.length
  return (
    <>
      <StateTabs
        counts={{ open: open.length, muted: muted.length, resolved: resolved.length }}
        current={current}
      />
      {count === 0 && <NoGroups handler={query.get('handler')} state={current} />}
      {shown.map((group) => (
        <Group key={keyOf(group)} group={group} isFirst={group === shown[0]} />
      ))}
      {current === 'resolved' &&
        resolved.map((group) => <Resolved key={group.sampleEventId} group={group} />)}
    </>
  )
}

function stateIn(query: URLSearchParams): GroupState {
  const state = query.get('state')
  return state === 'muted' || state === 'resolved' ? state : 'open'
}

interface StateTabsProps {
  readonly counts: Readonly<Record<GroupState, number>>
  readonly current: GroupState
}

/** Hidden as long as there is only one list to choose. */
function StateTabs({ counts, current }: StateTabsProps) {
  if (current === 'open' && counts.muted + counts.resolved === 0) return null
  const tabs = [
    { id: 'open', text: 'Open', count: counts.open },
    { id: 'muted', text: 'Muted', count: counts.muted },
    { id: 'resolved', text: 'Resolved', count: counts.resolved },
  ]
  return <Tabs label="Which groups" name="state" tabs={tabs} current={current} />
}

function Resolved({ group }: { readonly group: ResolvedGroup }) {
  return (
    <section class="card group" aria-label={`${group.handler}: ${group.cause}`}>
      <header class="group-head">
        <h2>
          <a href={pathOf('events', group.sampleEventId)} title={group.error}>
            <Mark icon="check" tone="good" word={group.handler} />
            <span class="group-error">{group.cause}</span>
          </a>
        </h2>
        <span class="group-numbers">{countOf(group.runs, 'run')} succeeded since</span>
        <span class="quiet">
          first failed <Ago at={group.firstAt} /> · resolved <Ago at={group.resolvedAt} />
        </span>
      </header>
    </section>
  )
}

interface NoGroupsProps {
  readonly handler: string | null
  readonly state: GroupState
}

function NoGroups({ handler, state }: NoGroupsProps) {
  if (state === 'muted') return <Notice icon="check" title="No muted groups." />
  if (state === 'resolved') return <Notice icon="check" title="No failures were resolved in the last week." />
  return (
    <Notice
      icon="check"
      tone="good"
      title={handler === null ? 'No handlers are failing.' : `${handler} is not failing.`}
    >
      {!has('handlers') && <p>This server has no handlers. Your application registers them.</p>}
    </Notice>
  )
}

function Paused({ handlers }: { readonly handlers: readonly HandlerSummary[] }) {
  return handlers
    .filter(({ isPaused }) => isPaused)
    .map(({ name, pausedAt, pauseReason, waiting }) => (
      <p key={name} class="banner warning">
        <Icon name="pause" />
        <span>
          <b>{name}</b> was paused <Ago at={pausedAt} />
          {pauseReason && `: ${pauseReason}`}. {countOf(waiting, 'run')} waiting.
        </span>
        {may('operator') && <ResumeButton handler={name} />}
      </p>
    ))
}

/** Handlers and fingerprints hold any text; as JSON two pairs never look the same. */
function keyOf({ handler, fingerprint }: FailureGroup): string {
  return JSON.stringify([handler, fingerprint])
}

interface GroupProps {
  readonly group: FailureGroup
  readonly isFirst: boolean
}

function Group({ group, isFirst }: GroupProps) {
  const { query } = usePlace()
  const key = keyOf(group)
  const isOpen = query.has('group') ? query.get('group') === key : isFirst
  return (
    <section class="card group" aria-label={`${group.handler}: ${group.cause}`}>
      <header class="group-head">
        <h2>
          <a href={withQuery({ group: isOpen ? '' : key })} aria-expanded={isOpen}>
            <Icon name={isOpen ? 'down' : 'right'} />
            <Mark icon="cross" tone="bad" word={group.handler} />
            <span class="group-error">{group.cause}</span>
          </a>
        </h2>
        <span class="group-numbers">
          {group.dead.value !== 0 && <b>{quantity(group.dead)} out of retries</b>}
          {group.retrying.value !== 0 && <b>{quantity(group.retrying)} retrying</b>}
        </span>
        <Sparkline values={group.sparkline} label="Failing runs per hour, last 24 hours" />
        <span class="quiet">
          {group.mutedUntil && (
            <>
              mute ends <Ago at={group.mutedUntil} /> ·{' '}
            </>
          )}
          {group.release && <b>since deploy {group.release} · </b>}
          first <Ago at={group.firstAt} /> · last <Ago at={group.lastAt} />
        </span>
      </header>
      {isOpen && <GroupBody group={group} />}
    </section>
  )
}

function GroupBody({ group }: { readonly group: FailureGroup }) {
  return (
    <div class="group-body">
      {may('operator') && <GroupActions group={group} />}
      {group.error && <pre class="error">{group.error}</pre>}
      <Runs group={group} />
    </div>
  )
}

function GroupActions({ group }: { readonly group: FailureGroup }) {
  const filter = { handler: group.handler, fingerprint: group.fingerprint }
  const target = (kind: 'retry' | 'discard'): BulkTarget => ({ kind, filter })
  return (
    <div class="actions">
      <Button kind="main" onClick={() => retryRun(group.sampleEventId, group.handler)}>
        Retry one event
      </Button>
      <BulkButton target={target('retry')} text="Retry all…" />
      <MuteActions group={group} />
      {group.isPaused ? <ResumeButton handler={group.handler} /> : <PauseButton handler={group.handler} />}
      {may('admin') && <BulkButton target={target('discard')} text="Discard…" />}
    </div>
  )
}

const MUTES = [
  [1, 'for an hour'],
  [24, 'for a day'],
  [168, 'for a week'],
] as const

/** Keeps a known problem out of the status. Its runs are retried as before. */
function MuteActions({ group }: { readonly group: FailureGroup }) {
  const { handler, fingerprint, mutedUntil } = group
  if (fingerprint === null) return null
  if (mutedUntil) return <Button onClick={() => unmuteGroup(handler, fingerprint)}>Unmute</Button>
  return (
    <Menu label="Mute">
      {(close) => (
        <ul class="menu-items">
          {MUTES.map(([hours, text]) => (
            <li key={hours}>
              <Button kind="bare" onClick={() => muteGroup(handler, fingerprint, hours).then(close)}>
                {text}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  )
}

function Runs({ group }: { readonly group: FailureGroup }) {
  const query = { handler: group.handler, fingerprint: group.fingerprint ?? '' }
  const pages = usePages('GET failures/runs', { query }, ({ eventId }) => eventId, { everyMs: FAILURES_MS })
  return (
    <>
      <Shown answer={pages.first} rows={4}>
        {() => (
          <table class="table rows runs-table">
            <caption class="sr">Runs of this group, newest first</caption>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Event</th>
                <th scope="col">About</th>
                <th scope="col" class="number">
                  Attempts
                </th>
                <th scope="col">Next retry</th>
                <th scope="col">
                  <span class="sr">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {pages.items.map((run) => (
                <RunRow key={run.eventId} run={run} onDone={pages.restart} />
              ))}
            </tbody>
          </table>
        )}
      </Shown>
      {pages.more && (
        <p class="more">
          <Button onClick={pages.more}>More</Button>
        </p>
      )}
    </>
  )
}

interface RunRowProps {
  readonly run: FailedRun
  /** Its row may be on any page. */
  readonly onDone: () => Promise<void>
}

function RunRow({ run, onDone }: RunRowProps) {
  const { event, eventId, handler } = run
  return (
    <tr>
      <td class="what">
        <Mark {...RUNS[run.state]} />
      </td>
      <td class="type">
        <a href={pathOf('events', run.eventId)} data-row>
          {event?.type ?? run.eventId}
        </a>
      </td>
      <td class="about">
        <About subject={event?.subject ?? null} />
      </td>
      <td class="number changed">{run.attempts}</td>
      <td class="next">
        <Ago at={run.nextTryAt} />
      </td>
      <td class="row-actions">
        {may('operator') && <Button onClick={() => retryRun(eventId, handler).then(onDone)}>Retry</Button>}
        {may('admin') && <DiscardButton eventId={eventId} handler={handler} onDone={onDone} />}
      </td>
    </tr>
  )
}
