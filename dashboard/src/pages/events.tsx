/** Every event, and beside the list the one that is open. New ones wait behind a button: rows never move under the cursor. */

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { refresh, useAnswer } from '../answers.ts'
import { addressOf, type EventItem, type EventQuery } from '../api.ts'
import { isFiltered, matches, queryOf, textOf } from '../filter.ts'
import { count, countOf } from '../format.ts'
import { arrivals } from '../live.ts'
import { go, usePlace, withQuery } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { EventsChart } from '../parts/chart.tsx'
import { Menu } from '../parts/menu.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { type Range, useRange } from '../parts/range.ts'
import { RangeSwitch } from '../parts/range-switch.tsx'
import { useRowKeys } from '../rows.ts'
import { may } from '../session.ts'
import { useShortcut } from '../shortcuts.ts'
import { useStore } from '../store.ts'
import { BulkButton } from './bulk.tsx'
import { EventPanel } from './event.tsx'
import { EventFilter } from './event-filter.tsx'
import { EventRows } from './event-rows.tsx'
import { sendTestEvent } from './test-event.ts'
import { usePages } from './use-pages.ts'

export function EventsPage({ id }: { readonly id: string | undefined }) {
  const { query } = usePlace()
  // The moment that `1h` counts from stands still until the filter changes, so that pages follow one another.
  const filter = useMemo(() => queryOf(query, Date.now()), [textOf(query)])
  return (
    <div class={`split ${id === undefined ? '' : 'open'}`}>
      <section class="split-list" aria-labelledby="events-title">
        <header class="page-head">
          <h1 id="events-title">Events</h1>
        </header>
        <EventFilter />
        <Histogram />
        <EventList key={JSON.stringify(filter)} filter={filter} isFiltered={isFiltered(query)} openId={id} />
      </section>
      {id !== undefined && (
        <EventPanel key={id} id={id} onClose={() => go(withQuery({ tab: undefined }, 'events'))} />
      )}
    </div>
  )
}

interface EventListProps {
  readonly filter: EventQuery
  readonly isFiltered: boolean
  readonly openId: string | undefined
}

function EventList({ filter, isFiltered, openId }: EventListProps) {
  const pages = usePages('GET events', { query: filter }, idOf, { isKept: true, everyMs: EVENTS_MS })
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const events = pages.items
  useRowKeys()
  return (
    <>
      <div class="toolbar">
        <Matching filter={filter} />
        <NewEvents
          filter={filter}
          waiting={pages.waiting}
          isEmpty={events.length === 0}
          onShow={pages.restart}
        />
        {events.length > 0 && (
          <div class="actions">
            <Export filter={filter} />
            {may('operator') && <Bulk filter={filter} selected={selected} />}
          </div>
        )}
      </div>
      <Shown answer={pages.first} rows={12}>
        {() =>
          events.length === 0 ? (
            <Empty isFiltered={isFiltered} />
          ) : (
            <EventRows
              events={events}
              openId={openId}
              selection={may('operator') ? { selected, select: setSelected } : undefined}
            />
          )
        }
      </Shown>
      {pages.more && (
        <p class="more">
          <Button onClick={pages.more}>Older events</Button>
        </p>
      )}
    </>
  )
}

const FORMATS = { csv: 'CSV', ndjson: 'JSON, one a line' } as const

function Export({ filter }: { readonly filter: EventQuery }) {
  return (
    <Menu label="Export">
      {(close) => (
        <ul class="menu-items">
          {(['csv', 'ndjson'] as const).map((format) => (
            <li key={format}>
              <a
                class="button bare"
                href={addressOf('GET events/export', { query: { ...filter, format } })}
                download
                onClick={() => close()}
              >
                {FORMATS[format]}
              </a>
            </li>
          ))}
          <li class="quiet">The newest 10,000 at most</li>
        </ul>
      )}
    </Menu>
  )
}

function Bulk({ filter, selected }: { readonly filter: EventQuery; readonly selected: ReadonlySet<string> }) {
  const isSome = selected.size > 0
  // A replay cannot filter by source or handler run.
  if (!isSome && (filter.source ?? filter.handler ?? filter.run)) return null
  const target = { kind: 'replay' as const, filter: isSome ? { id: [...selected] } : filter }
  return <BulkButton target={target} text={isSome ? `Replay ${selected.size} selected` : 'Replay all…'} />
}

function Matching({ filter }: { readonly filter: EventQuery }) {
  const { value } = useAnswer('GET events/count', { query: filter })
  return <span class="page-count">{value && countOf(value, 'event')}</span>
}

const idOf = ({ id }: EventItem) => id
/** Rows change in place: runs end, later deliveries come. */
const EVENTS_MS = 5_000
const TRAFFIC_MS = 10_000

/** Shows all events, independent of the filter, to choose a time range. */
function Histogram() {
  const range = useRange()
  return range ? <HistogramOf range={range} /> : null
}

function HistogramOf({ range }: { readonly range: Range }) {
  const until = range.until === undefined ? {} : { until: range.until }
  const { value } = useAnswer('GET traffic', { query: { since: range.since, ...until } }, TRAFFIC_MS)
  return (
    <div class="histogram">
      {value && <EventsChart traffic={value} small />}
      <RangeSwitch range={range} />
    </div>
  )
}

interface NewEventsProps {
  readonly filter: EventQuery
  /** The number of new events known from the last poll. */
  readonly waiting: number
  readonly isEmpty: boolean
  readonly onShow: () => Promise<void>
}

/** The number of events since the list was loaded. An empty list shows them at once, because no row can move. */
function NewEvents({ filter, waiting, isEmpty, onShow }: NewEventsProps) {
  const { events, total } = useStore(arrivals)
  const before = useRef(total)
  const isAll = Object.keys(filter).length === 0
  const fresh = total - before.current
  const arrived = isAll ? fresh : events.slice(0, fresh).filter((event) => matches(event, filter)).length
  const amount = Math.max(arrived, waiting)
  const show = useCallback(() => {
    before.current = arrivals.value.total
    refresh('events/count')
    return onShow()
  }, [onShow])
  useShortcut('l', amount > 0 ? show : undefined)
  useEffect(() => {
    if (amount > 0 && isEmpty) void show()
  }, [amount, isEmpty, show])
  return (
    <span role="status">
      {amount > 0 && (
        <Button kind="main" onClick={show}>
          ▲ {count(amount, 'new event')}
        </Button>
      )}
    </span>
  )
}

function Empty({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Notice icon="search" title="No events match.">
        <a class="button plain" href="events">
          Clear the filter
        </a>
      </Notice>
    )
  return (
    <Notice icon="inbox" title="No events yet.">
      <p>
        Send one: <code>clerk-sync trigger user.created</code>
      </p>
      {may('operator') && <Button onClick={sendTestEvent}>Send a test event</Button>}
    </Notice>
  )
}
