/** The two charts: events by outcome, and lag. Drawn as SVG, with a summary in words and the same as a table. */

import { useId, useRef, useState } from 'preact/hooks'
import type { Traffic } from '../api.ts'
import { count, duration, fullTime, number, tickText, time } from '../format.ts'
import { setQuery } from '../location.ts'
import { timeTicks } from './ticks.ts'
import { barsOf, lagHeight, lagPath, SERIES, stackOf, totalsOf } from './traffic.ts'

const WIDTH = 900
const HEIGHT = 140
/** The lag above which an event is highlighted. */
const LAG_LIMIT_MS = 15_000

interface ChartProps {
  readonly traffic: Traffic
  readonly small?: boolean
}

/** Events per bucket. Dragging across it sets the range for every page. */
export function EventsChart({ traffic, small = false }: ChartProps) {
  const [asTable, setAsTable] = useState(false)
  const totals = totalsOf(traffic)
  const summary = `${count(totals.total, 'event')} between ${time(traffic.since)} and ${time(traffic.until)}: ${SERIES.map(({ key, word }) => `${number(totals[key])} ${word}`).join(', ')}.`
  return (
    <figure class={`chart ${small ? 'small' : ''}`}>
      {!small && (
        <figcaption>
          <ul class="legend">
            {SERIES.map(({ key, word }) => (
              <li key={key}>
                <span class={`swatch ${key}`} /> {word} <b>{number(totals[key])}</b>
              </li>
            ))}
          </ul>
          <button
            type="button"
            class="button bare"
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            as table
          </button>
        </figcaption>
      )}
      {asTable ? <TrafficTable traffic={traffic} /> : <Bars traffic={traffic} summary={summary} />}
    </figure>
  )
}

function Bars({ traffic, summary }: { readonly traffic: Traffic; readonly summary: string }) {
  const stacks = traffic.points.map(stackOf)
  const { paths, ticks } = barsOf(stacks, WIDTH, HEIGHT)
  const { dragged, hovered, handlers } = useDrag(traffic)
  const id = useId()
  return (
    <div class="plot" {...handlers}>
      <div class="plot-area">
        {ticks.map((tick) => (
          <span key={tick} class="scale" style={{ top: percent(1 - shareOfScale(tick, ticks)) }}>
            {number(tick)}
          </span>
        ))}
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary}>
          <Patterns id={id} />
          <path
            class="grid"
            d={ticks.map((tick) => `M0 ${(1 - shareOfScale(tick, ticks)) * HEIGHT}H${WIDTH}`).join('')}
          />
          {SERIES.map(({ key }) => (
            <path
              key={key}
              class={`bars ${key}`}
              d={paths[key]}
              fill={key === 'applied' ? undefined : `url(#${id}-${key})`}
            />
          ))}
          {dragged && (
            <rect
              class="dragged"
              x={dragged[0] * WIDTH}
              y="0"
              width={(dragged[1] - dragged[0]) * WIDTH}
              height={HEIGHT}
            />
          )}
        </svg>
      </div>
      <Releases traffic={traffic} />
      <Axis traffic={traffic} />
      {hovered !== undefined && <Tip traffic={traffic} index={hovered} />}
    </div>
  )
}

/** Greys tell the series apart as well: each has its own texture. */
function Patterns({ id }: { readonly id: string }) {
  return (
    <defs>
      {(['skipped', 'failing', 'rejected'] as const).map((key) => (
        <pattern
          key={key}
          id={`${id}-${key}`}
          class={`pattern ${key}`}
          width="4"
          height="4"
          patternUnits="userSpaceOnUse"
        >
          <rect width="4" height="4" />
          <path
            d={
              key === 'skipped' ? 'M0 1h4' : key === 'failing' ? 'M-1 1l2-2M0 4l4-4M3 5l2-2' : 'M1 0v4M0 1h4'
            }
          />
        </pattern>
      ))}
    </defs>
  )
}

function Axis({ traffic }: { readonly traffic: Traffic }) {
  const [since, until] = [Date.parse(traffic.since), Date.parse(traffic.until)]
  const ticks = timeTicks(traffic.since, traffic.until)
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((at) => (
        <span key={at} style={{ left: percent((Date.parse(at) - since) / (until - since)) }}>
          {tickText(at)}
        </span>
      ))}
    </div>
  )
}

/** When releases of your app started. */
function Releases({ traffic }: { readonly traffic: Traffic }) {
  const [since, until] = [Date.parse(traffic.since), Date.parse(traffic.until)]
  const shareOf = (at: string) => (Date.parse(at) - since) / (until - since)
  return traffic.releases.map(({ release, at }) => (
    <span
      key={release}
      class={`release ${shareOf(at) > 0.8 ? 'before' : ''}`}
      title={`Deploy ${release}\n${fullTime(at)}`}
      style={{ left: percent(shareOf(at)) }}
    >
      {release}
    </span>
  ))
}

function shareOfScale(tick: number, ticks: readonly number[]): number {
  return tick / (ticks.at(-1) as number)
}

function percent(share: number): string {
  return `${share * 100}%`
}

function Tip({ traffic, index }: { readonly traffic: Traffic; readonly index: number }) {
  const point = traffic.points[index]
  if (!point) return null
  const stack = stackOf(point)
  const share = (index + 0.5) / traffic.points.length
  return (
    <div class={`tip ${share > 0.6 ? 'before' : ''}`} style={{ left: `${share * 100}%` }} aria-hidden="true">
      <b title={fullTime(point.at)}>{time(point.at)}</b>
      {SERIES.filter(({ key }) => stack[key] > 0).map(({ key, word }) => (
        <span key={key}>
          <span class={`swatch ${key}`} /> {number(stack[key])} {word}
        </span>
      ))}
      {stack.total === 0 && <span class="quiet">nothing</span>}
      {point.lag.p95Ms !== null && <span class="quiet">lag p95 {duration(point.lag.p95Ms)}</span>}
    </div>
  )
}

/** The position of the pointer and the dragged range, as shares of the width. */
function useDrag(traffic: Traffic) {
  const [from, setFrom] = useState<number>()
  const [at, setAt] = useState<number>()
  const area = useRef<DOMRect>(undefined)
  const shareOf = (event: PointerEvent) => {
    area.current = (event.currentTarget as Element).getBoundingClientRect()
    return Math.min(0.9999, Math.max(0, (event.clientX - area.current.left) / area.current.width))
  }
  const dragged =
    from !== undefined && at !== undefined && Math.abs(at - from) > 0.01
      ? ([Math.min(from, at), Math.max(from, at)] as const)
      : undefined
  const zoom = () => {
    setFrom(undefined)
    if (!dragged) return
    const [since, span] = [Date.parse(traffic.since), Date.parse(traffic.until) - Date.parse(traffic.since)]
    const moment = (share: number) => new Date(since + share * span).toISOString()
    setQuery({ since: moment(dragged[0]), until: moment(dragged[1]) })
  }
  const handlers = {
    onPointerDown: (event: PointerEvent) => event.button === 0 && setFrom(shareOf(event)),
    onPointerMove: (event: PointerEvent) => setAt(shareOf(event)),
    onPointerUp: zoom,
    onPointerLeave: () => {
      setFrom(undefined)
      setAt(undefined)
    },
  }
  return { dragged, hovered: at === undefined ? undefined : Math.floor(at * traffic.points.length), handlers }
}

function TrafficTable({ traffic }: { readonly traffic: Traffic }) {
  const filled = traffic.points.filter((point) => stackOf(point).total > 0).toReversed()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div class="chart-table" tabIndex={0} role="region" aria-label="Events by time">
      <table class="table dense">
        <caption class="sr">
          Events by time, {duration(traffic.bucketSeconds * 1_000)} a row, without empty ones
        </caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {SERIES.map(({ key, word }) => (
              <th key={key} scope="col" class="number">
                {word}
              </th>
            ))}
            <th scope="col" class="number">
              lag p95
            </th>
          </tr>
        </thead>
        <tbody>
          {filled.map((point) => (
            <tr key={point.at}>
              <th scope="row">{time(point.at)}</th>
              {SERIES.map(({ key }) => (
                <td key={key} class="number">
                  {number(stackOf(point)[key])}
                </td>
              ))}
              <td class="number">{point.lag.p95Ms === null ? '–' : duration(point.lag.p95Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const LAG_HEIGHT = 96
const LAG_MARKS = [100, 1_000, LAG_LIMIT_MS, 600_000] as const

/** From Clerk's event to the row, on a logarithmic scale. */
export function LagChart({ traffic }: { readonly traffic: Traffic }) {
  const worst = Math.max(...traffic.points.map(({ lag }) => lag.p95Ms ?? 0))
  const summary = `Lag between ${time(traffic.since)} and ${time(traffic.until)}: at worst ${duration(worst)} (p95).`
  return (
    <figure class="chart lag">
      <div class="plot">
        {LAG_MARKS.map((mark) => (
          <span
            key={mark}
            class="scale"
            style={{ top: `${(lagHeight(mark, LAG_HEIGHT) / LAG_HEIGHT) * 100}%` }}
          >
            {duration(mark)}
          </span>
        ))}
        <svg
          viewBox={`0 0 ${WIDTH} ${LAG_HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={summary}
        >
          {LAG_MARKS.map((mark) => (
            <path
              key={mark}
              class={mark === LAG_LIMIT_MS ? 'limit' : 'grid'}
              d={`M0 ${lagHeight(mark, LAG_HEIGHT)}H${WIDTH}`}
            />
          ))}
          <path class="line p95" d={lagPath(traffic.points, 'p95Ms', WIDTH, LAG_HEIGHT)} />
          <path class="line p50" d={lagPath(traffic.points, 'p50Ms', WIDTH, LAG_HEIGHT)} />
        </svg>
      </div>
    </figure>
  )
}
