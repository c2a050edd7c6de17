/** What changed, or differs: field, one value, other value. And plain pairs. */

import type { ComponentChildren } from 'preact'
import type { ComparedField, FieldChange } from '../api.ts'
import { inline } from '../format.ts'
import { Mark } from './mark.tsx'

export function Changes({ changes }: { readonly changes: readonly FieldChange[] }) {
  return (
    <table class="table fields">
      <caption class="sr">The fields of the row that the event changed</caption>
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
                <Mark icon="equals" tone="quiet" word="equal" />
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
