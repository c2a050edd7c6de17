/** Fields that changed or differ, and plain pairs of names and values. */

import type { ComponentChildren } from 'preact'
import type { ComparedField, FieldChange } from '../api.ts'
import { count, inline, isEmpty, isMoment } from '../format.ts'
import { Mark } from './mark.tsx'
import { Ago } from './time.tsx'

export function Changes({ changes }: { readonly changes: readonly FieldChange[] }) {
  return (
    <table class="table fields">
      <caption class="sr">Fields the event changed</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ field, from, to }) => (
          <tr key={field}>
            <th scope="row">{field}</th>
            <td data-label="Before">
              <del>{inline(from)}</del>
            </td>
            <td data-label="After">
              <ins>{inline(to)}</ins>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function Compared({ fields }: { readonly fields: readonly ComparedField[] }) {
  return (
    <table class="table fields">
      <caption class="sr">Our row beside Clerk's</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Here</th>
          <th scope="col">Clerk now</th>
          <th scope="col">Compared</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ field, here, clerk, isEqual }) => (
          <tr key={field} class={isEqual ? '' : 'differs'}>
            <th scope="row">{field}</th>
            <td data-label="Here">{inline(here)}</td>
            <td data-label="Clerk now">{inline(clerk)}</td>
            <td>
              {isEqual ? (
                <Mark icon="equals" tone="quiet" word="same" />
              ) : (
                <Mark icon="warning" tone="warning" word="differs" />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Names and values, one below the other. */
export function Pairs({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="pairs">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The columns of a row. Empty ones are folded away. */
export function RowValues({ row }: { readonly row: Readonly<Record<string, unknown>> }) {
  const { empty = [], filled = [] } = Object.groupBy(Object.entries(row), ([, value]) =>
    isEmpty(value) ? 'empty' : 'filled',
  )
  return (
    <>
      <Pairs of={filled.map(([name, value]) => [name, <Value key={name} value={value} />])} />
      {empty.length > 0 && (
        <EmptyFields amount={empty.length}>
          <Pairs of={empty.map(([name, value]) => [name, <Value key={name} value={value} />])} />
        </EmptyFields>
      )}
    </>
  )
}

/** What is folded away, to be opened. */
export function EmptyFields({ amount, children }: { amount: number; children: ComponentChildren }) {
  return (
    <details class="empty-fields">
      <summary class="quiet">{count(amount, 'empty field')}</summary>
      {children}
    </details>
  )
}

function Value({ value }: { readonly value: unknown }) {
  if (isMoment(value))
    return (
      <span class="value">
        <Ago at={value} /> <span class="quiet">{value}</span>
      </span>
    )
  return <span class={isEmpty(value) ? 'quiet value' : 'value'}>{inline(value)}</span>
}
