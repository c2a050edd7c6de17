/** Tabs: links, because which one is open stands in the address. */

import { withQuery } from '../location.ts'

interface TabsProps {
  readonly label: string
  /** The name in the query. */
  readonly name: string
  readonly tabs: readonly {
    readonly id: string
    readonly text: string
    readonly count?: number | undefined
  }[]
  readonly current: string
}

export function Tabs({ label, name, tabs, current }: TabsProps) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ id, text, count }) => (
        <a key={id} href={withQuery({ [name]: id })} aria-current={id === current ? 'page' : undefined}>
          {text}
          {count !== undefined && <span class="count">{count}</span>}
        </a>
      ))}
    </nav>
  )
}
