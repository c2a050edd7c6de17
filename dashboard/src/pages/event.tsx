/** One event: its outcome step by step, the fields it changed, its payload, and the actions on it. */

import { useCallback, useState } from 'preact/hooks'
import { refresh, useAnswer } from '../answers.ts'
import type { EventDetail, HandlerRun, TimelineStep } from '../api.ts'
import { call } from '../api.ts'
import { curlCommand, triggerCommand } from '../commands.ts'
import { bytes, count, distance, duration, fullTime, preciseTime } from '../format.ts'
import { pathOf, usePlace } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { copy, Id } from '../parts/copy.tsx'
import { Changes, Pairs } from '../parts/fields.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { Json } from '../parts/json.tsx'
import { Mark, OUTCOMES, RUNS, verdictOf } from '../parts/mark.tsx'
import { Menu } from '../parts/menu.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { Ago, At } from '../parts/time.tsx'
import { say } from '../parts/toast.tsx'
import { has, may, session } from '../session.ts'
import { useShortcut } from '../shortcuts.ts'
import { EditAndReplay } from './edit-and-replay.tsx'
import { EventRows } from './event-rows.tsx'
import { DiscardButton, retryRun } from './handler-actions.tsx'

const EVENT_MS = 5_000

export function EventPanel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const answer = useAnswer('GET events/{id}', { path: { id } }, EVENT_MS)
  const [revealed, setRevealed] = useState<EventDetail>()
  const close = useCallback(onClose, [])
  const reveal = async () => {
    const whole = await call('POST events/{id}/reveal', { path: { id } })
    setRevealed(whole)
    return whole
  }
  useShortcut('Escape', close)
  return (
    <aside class="panel" aria-label="Event">
      <Button kind="bare" label="Close" onClick={close}>
        <Icon name="cross" />
      </Button>
      <Shown answer={answer}>
        {(event) => (
          <Event
            event={
              revealed
                ? { ...event, changes: revealed.changes, body: revealed.body, subject: revealed.subject }
                : event
            }
            reveal={reveal}
          />
        )}
      </Shown>
    </aside>
  )
}

interface EventProps {
  readonly event: EventDetail
  readonly reveal: () => Promise<EventDetail>
}

function Event({ event, reveal }: EventProps) {
  const verdict = verdictOf(event)
  return (
    <article class="event">
      <header class="panel-head">
        <h2>{event.type ?? 'Unknown type'}</h2>
        <Mark {...verdict} />
      </header>
      <p class="event-sentence">{event.sentence}</p>
      <Actions event={event} reveal={reveal} />
      <Timeline steps={event.timeline} />
      <EventTabs event={event} />
    </article>
  )
}

function Actions({ event, reveal }: EventProps) {
  const { id, subject } = event
  const failing = failingHandlersOf(event)
  const [first] = failing
  const replay = useCallback(async () => {
    const { outcome } = await call('POST events/{id}/replay', { path: { id } })
    refresh('events', 'overview', 'resources')
    say(`Replayed: ${OUTCOMES[outcome].word}.`)
  }, [id])
  const main = first === undefined ? replay : () => retryRun(id, first)
  useShortcut('r', may('operator') ? () => void main() : undefined)
  useShortcut(
    'c',
    useCallback(() => void copy(id, 'the id'), [id]),
  )
  return (
    <div class="actions">
      {may('operator') &&
        failing.map((handler) => (
          <Button
            key={handler}
            kind={handler === first ? 'main' : 'plain'}
            onClick={() => retryRun(id, handler)}
          >
            Retry handler {handler}
          </Button>
        ))}
      {may('operator') && <Button onClick={replay}>Replay</Button>}
      <EditAndReplay event={event} reveal={reveal} />
      {may('operator') && event.body.isMasked && (
        <Button onClick={reveal}>
          <Icon name="eye" /> Reveal
        </Button>
      )}
      <CopyMenu event={event} />
      {subject && (
        <a class="button plain" href={pathOf('resources', subject.resource, subject.id)}>
          Open {subject.label ?? subject.id}
        </a>
      )}
    </div>
  )
}

/** Those out of retries first. */
function failingHandlersOf({ handlerRuns }: EventDetail): string[] {
  if (!has('handlers')) return []
  const inState = (wanted: HandlerRun['state']) =>
    handlerRuns.filter(({ state }) => state === wanted).map(({ handler }) => handler)
  return [...inState('dead'), ...inState('retrying')]
}

function CopyMenu({ event }: { readonly event: EventDetail }) {
  const { id, type, body } = event
  const sent = body.text === null ? null : { id, type, text: body.text }
  const items: readonly (readonly [string, string | null])[] = [
    ['the id', id],
    ['the JSON', body.text],
    ['as curl (unsigned)', sent && curlCommand(sent, webhookUrl())],
    ['as a trigger command', sent && event.triggerCommand && triggerCommand(sent)],
    ['a link', location.href],
  ]
  return (
    <Menu label="Copy">
      {(close) => (
        <ul class="menu-items">
          {items.map(
            ([what, text]) =>
              text !== null && (
                <li key={what}>
                  <Button kind="bare" onClick={() => copy(text, what).then(close)}>
                    Copy {what}
                  </Button>
                </li>
              ),
          )}
        </ul>
      )}
    </Menu>
  )
}

/** The route of this server, if it has one; otherwise the path from Clerk's guides. */
function webhookUrl(): string {
  return new URL(session.value?.webhookPath ?? '/api/webhooks/clerk', location.origin).href
}

const TONES: Readonly<Record<TimelineStep['tone'], IconName>> = {
  neutral: 'dot',
  good: 'check',
  warning: 'warning',
  bad: 'cross',
}

function Timeline({ steps }: { readonly steps: readonly TimelineStep[] }) {
  return (
    <ol class="timeline" aria-label="What happened">
      {steps.map((step, index) => (
        // Only the index distinguishes two attempts of the same millisecond.
        <li key={index} class={`${step.tone} ${step.isPlanned ? 'planned' : ''}`}>
          <Icon name={step.isPlanned ? 'clock' : TONES[step.tone]} />
          <time dateTime={step.at} title={`${distance(step.at)}\n${fullTime(step.at)}`}>
            {preciseTime(step.at)}
          </time>
          <span class="timeline-text">
            {step.text}
            {step.durationMs !== null && <span class="quiet"> {duration(step.durationMs)}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}

function EventTabs({ event }: { readonly event: EventDetail }) {
  const { query } = usePlace()
  const tabs = [
    { id: 'change', text: 'Change', count: event.changes.length },
    { id: 'payload', text: 'Payload' },
    { id: 'handlers', text: 'Handlers', count: event.handlerRuns.length },
    { id: 'headers', text: 'Delivery' },
    { id: 'related', text: 'Related', count: event.related.length },
  ]
  const chosen = query.get('tab')
  const current = tabs.some(({ id }) => id === chosen) ? (chosen as string) : firstTabOf(event)
  return (
    <>
      <Tabs label="Parts of the event" name="tab" tabs={tabs} current={current} />
      <div class="tab">{TAB_CONTENTS[current]?.(event)}</div>
    </>
  )
}

/** The tab most likely wanted. */
function firstTabOf(event: EventDetail): string {
  const isFailing = Boolean(event.runs.dead || event.runs.retrying)
  if (isFailing) return 'handlers'
  return event.changes.length > 0 ? 'change' : 'payload'
}

const TAB_CONTENTS: Readonly<Record<string, (event: EventDetail) => preact.JSX.Element>> = {
  change: ({ changes }) =>
    changes.length > 0 ? (
      <Changes changes={changes} />
    ) : (
      <Notice icon="equals" title="No fields of an existing row changed." />
    ),
  payload: ({ id, body }) =>
    body.text === null ? (
      <Notice icon="inbox" title="The payload has been deleted.">
        {body.forgottenAt && (
          <p>
            Retention deleted it <Ago at={body.forgottenAt} />. The event cannot be replayed here; replay the
            message from Clerk Dashboard → Webhooks.
          </p>
        )}
        <p>
          SHA-256 <code>{body.sha256}</code>
        </p>
      </Notice>
    ) : (
      <>
        {body.isMasked && <p class="quiet">Personal data is masked.</p>}
        {body.isRedacted && <p class="quiet">One-time codes and tickets were removed before storage.</p>}
        <Json text={body.text} name={id} />
      </>
    ),
  handlers: ({ handlerRuns }) =>
    handlerRuns.length > 0 ? (
      <div class="runs">
        {handlerRuns.map((run) => (
          <Run key={run.handler} run={run} />
        ))}
      </div>
    ) : (
      <Notice icon="skip" title="No handlers subscribe to this event." />
    ),
  headers: (event) => <Delivery event={event} />,
  related: ({ related }) =>
    related.length > 0 ? (
      <EventRows events={related} keepsQuery={false} />
    ) : (
      <Notice icon="events" title="No other events for this resource." />
    ),
}

function Run({ run }: { readonly run: HandlerRun }) {
  return (
    <section class="run" aria-label={`Handler ${run.handler}`}>
      <header>
        <h3>{run.handler}</h3>
        <Mark {...RUNS[run.state]} />
        <span class="quiet">
          {count(run.attempts, 'attempt')}
          {run.earlierFailures > 0 && ' since the manual retry'}
          {run.nextTryAt && (
            <>
              ; next retry <Ago at={run.nextTryAt} />
            </>
          )}
        </span>
        <div class="actions">
          {has('handlers') && may('operator') && run.state !== 'running' && (
            <Button onClick={() => retryRun(run.eventId, run.handler)}>
              {run.nextTryAt ? 'Retry now' : 'Run again'}
            </Button>
          )}
          {has('handlers') && may('admin') && (run.state === 'dead' || run.state === 'retrying') && (
            <DiscardButton eventId={run.eventId} handler={run.handler} />
          )}
        </div>
      </header>
      {run.note && <p class="quiet">Note: {run.note}</p>}
      {run.error && run.failures.length === 0 && <pre class="error">{run.error}</pre>}
      {run.failures.length > 0 && (
        <ol class="tries">
          {run.failures.map((failure, index) => (
            <li key={failure.failedAt}>
              <span class="quiet">
                {index < run.earlierFailures && 'Before the manual retry: '}
                Attempt {failure.attempt}, <Ago at={failure.failedAt} />, after{' '}
                {duration(Date.parse(failure.failedAt) - Date.parse(failure.startedAt))}
              </span>
              <pre class="error">{failure.error}</pre>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function Delivery({ event }: { readonly event: EventDetail }) {
  const { body, headers } = event
  return (
    <>
      <Pairs
        of={[
          ['ID', <Id key="id" id={event.id} />],
          ['Happened', <At key="at" at={event.occurredAt} precise />],
          ['Received', <At key="at" at={event.receivedAt} precise />],
          ['Deliveries', count(event.deliveries, 'delivery', 'deliveries')],
          ['Source', event.source],
          ['Instance', event.instanceId ?? '–'],
          ['Body', body.bytes === null ? '–' : bytes(body.bytes)],
          ['SHA-256', <code key="sha">{body.sha256}</code>],
          [
            'Conflicting body',
            event.hasBodyConflict
              ? 'A later delivery with this ID had another body; the first one counts.'
              : 'none',
          ],
        ]}
      />
      {headers && <Pairs of={Object.entries(headers)} />}
    </>
  )
}
