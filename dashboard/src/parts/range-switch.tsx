/** Which range of time: one of the usual ones, or the one that was dragged out of the chart. */

import { time } from '../format.ts'
import { withQuery } from '../location.ts'
import { RANGES, type Range } from './range.ts'

export function RangeSwitch({ range }: { readonly range: Range }) {
  const isZoomed = range.until !== undefined
  return (
    <nav class="switch" aria-label="Range of time">
      {isZoomed && range.until && (
        <a href={withQuery({ since: undefined, until: undefined })} aria-current="true">
          {time(range.since)}–{time(range.until)} <span aria-hidden="true">✕</span>
        </a>
      )}
      {RANGES.map((name) => (
        <a
          key={name}
          href={withQuery({ since: name, until: undefined })}
          aria-current={!isZoomed && name === range.name ? 'true' : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  )
}
