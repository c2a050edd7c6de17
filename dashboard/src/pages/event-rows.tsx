/** Events as rows: time, outcome, type, subject. On a phone each row is a card. */

import type { EventItem } from '../api.ts'
import { useNow } from '../clock.ts'
import { distance } from '../format.ts'
import { pathOf, withQuery } from '../location.ts'
import { Mark, verdictOf } from '../parts/mark.tsx'
import { Ago } from '../parts/time.tsx'
import { About } from './about.tsx'

interface Selection {
  readonly selected: ReadonlySet<string>
  readonly select: (selected: ReadonlySet<string>) => void
}

interface EventRowsProps {
  readonly events: readonly EventItem[]
  readonly openId?: string | undefined
  /** Undefined: rows cannot be selected. */
  readonly selection?: Selection | undefined
  /** Whether links keep the filter of the address. */
  readonly keepsQuery?: boolean
}

export function EventRows({ events, openId, selection, keepsQuery = true }: EventRowsProps) {
  return (
    <table class="table rows events">
      <caption class="sr">Events, newest first</caption>
      <thead>
        <tr>
          {selection && (
            <th class="select">
              <SelectAll events={events} selection={selection} />
            </th>
          )}
          <th scope="col" class="when">
            Received
          </th>
          <th scope="col" class="what">
            Outcome
          </th>
          <th scope="col">Type</th>
          <th scope="col">About</th>
          <th scope="col" class="number changed">
            Changed
          </th>
          <th scope="col" class="next">
            Next retry
          </th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <EventRow
            key={event.id}
            event={event}
            isOpen={event.id === openId}
            selection={selection}
            href={
              keepsQuery
                ? withQuery({ tab: undefined }, pathOf('events', event.id))
                : pathOf('events', event.id)
            }
          />
        ))}
      </tbody>
    </table>
  )
}

function SelectAll({
  events,
  selection,
}: {
  readonly events: readonly EventItem[]
  readonly selection: Selection
}) {
  const isAll = events.every(({ id }) => selection.selected.has(id))
  return (
    <input
      type="checkbox"
      aria-label="Select all shown"
      checked={isAll && events.length > 0}
      onChange={() => selection.select(new Set(isAll ? [] : events.map(({ id }) => id)))}
    />
  )
}

interface EventRowProps {
  readonly event: EventItem
  readonly isOpen: boolean
  readonly selection: Selection | undefined
  readonly href: string
}

function EventRow({ event, isOpen, selection, href }: EventRowProps) {
  const type = event.type ?? 'unknown type'
  return (
    <tr class={isOpen ? 'open' : ''}>
      {selection && (
        <td class="select">
          <input
            type="checkbox"
            aria-label={`Select ${type} ${event.id}`}
            checked={selection.selected.has(event.id)}
            onChange={() => selection.select(toggled(selection.selected, event.id))}
          />
        </td>
      )}
      <td class="when">
        <Ago at={event.receivedAt} />
      </td>
      <td class="what">
        <span title={event.reason?.text}>
          <Mark {...verdictOf(event)} />
        </span>
        {event.deliveries > 1 && (
          <span class="times" title={`Delivered ${event.deliveries} times`}>
            ×{event.deliveries}
          </span>
        )}
      </td>
      <td class="type">
        <a href={href} data-row aria-current={isOpen ? 'true' : undefined}>
          <Type name={type} />
        </a>
        {event.source !== 'webhook' && <span class="tag">{event.source}</span>}
      </td>
      <td class="about">
        <About subject={event.subject} />
      </td>
      <td class="number changed">
        {event.changedFields > 0 && (
          <span>
            {event.changedFields} <span class="unit">{event.changedFields === 1 ? 'field' : 'fields'}</span>
          </span>
        )}
      </td>
      <td class="next">
        <NextTry event={event} />
      </td>
    </tr>
  )
}

/** Allows a line break after the dot. */
function Type({ name }: { readonly name: string }) {
  const [first, ...rest] = name.split('.')
  if (rest.length === 0) return <>{name}</>
  return (
    <>
      {first}.<wbr />
      {rest.join('.')}
    </>
  )
}

function toggled(selected: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(selected)
  if (!next.delete(id)) next.add(id)
  return next
}

function NextTry({ event }: { readonly event: EventItem }) {
  const now = useNow()
  if (event.nextTryAt === null) return null
  const isDue = Date.parse(event.nextTryAt) <= now
  return <span class="quiet">{isDue ? 'due now' : distance(event.nextTryAt, now)}</span>
}
