/** The rows of one table. */

import { useState } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import type { ResourceItem, ResourceKind, ResourceQuery } from '../api.ts'
import { quantity, title, words } from '../format.ts'
import { pathOf, setQuery, usePlace } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Icon } from '../parts/icon.tsx'
import { Mark } from '../parts/mark.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Ago } from '../parts/time.tsx'
import { useRowKeys } from '../rows.ts'
import { has } from '../session.ts'
import { NewJobButton } from './new-job.tsx'
import { usePages } from './use-pages.ts'

const KINDS_MS = 30_000

export function ResourcesPage({ resource }: { readonly resource: string }) {
  const kinds = useAnswer('GET resources', {}, KINDS_MS)
  return (
    <>
      <header class="page-head">
        <h1>Resources</h1>
      </header>
      <Shown answer={kinds}>
        {({ kinds }) => {
          const kind = kinds.find((each) => each.resource === resource)
          return (
            <>
              <KindTabs kinds={kinds} current={resource} />
              {kind ? <Rows key={resource} kind={kind} /> : <Notice icon="search" title="Table not found." />}
            </>
          )
        }}
      </Shown>
    </>
  )
}

function KindTabs({ kinds, current }: { readonly kinds: readonly ResourceKind[]; readonly current: string }) {
  const used = kinds.filter(
    ({ isEnabled, count, resource }) => isEnabled || count.value || resource === current,
  )
  return (
    <nav class="tabs wrap" aria-label="Tables">
      {used.map(({ resource, count }) => (
        <a
          key={resource}
          href={pathOf('resources', resource)}
          aria-current={resource === current ? 'page' : undefined}
        >
          {title(resource)} <span class="count">{quantity(count)}</span>
        </a>
      ))}
    </nav>
  )
}

function Rows({ kind }: { readonly kind: ResourceKind }) {
  const { query } = usePlace()
  const [q, deleted] = [query.get('q'), query.get('deleted')]
  const filter: ResourceQuery = { ...(q && { q }), ...(deleted && { deleted: deleted === 'true' }) }
  return (
    <>
      <p class="quiet kind-description">{kind.description}</p>
      <RowFilter kind={kind} />
      <RowList key={JSON.stringify(filter)} kind={kind} filter={filter} />
    </>
  )
}

function RowFilter({ kind }: { readonly kind: ResourceKind }) {
  const { query } = usePlace()
  const [typed, setTyped] = useState<string>()
  const deleted = query.get('deleted') ?? ''
  const apply = (event: SubmitEvent) => {
    event.preventDefault()
    setQuery({ q: typed?.trim() || undefined })
  }
  const places = ['id', ...kind.searchable.map(words)].join(', ')
  return (
    <div class="filter">
      <form class="filter-box" onSubmit={apply}>
        <Icon name="search" />
        <input
          type="search"
          aria-label={`Exact match: ${places}`}
          placeholder={`Exact match: ${places}`}
          value={typed ?? query.get('q') ?? ''}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </form>
      <div class="facets switch">
        {(
          [
            ['', 'All'],
            ['false', 'Live'],
            ['true', 'Deleted'],
          ] as const
        ).map(([value, text]) => (
          <button
            key={value}
            type="button"
            aria-pressed={value === deleted}
            onClick={() => setQuery({ deleted: value || undefined })}
          >
            {text}
          </button>
        ))}
      </div>
    </div>
  )
}

function RowList({ kind, filter }: { readonly kind: ResourceKind; readonly filter: ResourceQuery }) {
  const pages = usePages(
    'GET resources/{resource}',
    { path: { resource: kind.resource }, query: filter },
    ({ id }) => id,
  )
  useRowKeys()
  return (
    <>
      <Shown answer={pages.first} rows={10}>
        {() =>
          pages.items.length === 0 ? (
            <Empty kind={kind} isFiltered={Object.keys(filter).length > 0} />
          ) : (
            <ResourceRows items={pages.items} />
          )
        }
      </Shown>
      {pages.more && (
        <p class="more">
          <Button onClick={pages.more}>More rows</Button>
        </p>
      )}
    </>
  )
}

export function ResourceRows({ items }: { readonly items: readonly ResourceItem[] }) {
  return (
    <table class="table rows resources">
      <caption class="sr">Rows</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Id</th>
          <th scope="col">State</th>
          <th scope="col">Changed in Clerk</th>
          <th scope="col">Synced</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id}>
            <td class="type">
              <a href={pathOf('resources', item.resource, item.id)} data-row>
                {item.label ?? item.id}
              </a>
              {item.detail && <span class="quiet"> · {item.detail}</span>}
            </td>
            <td class="about">
              <code>{item.id}</code>
            </td>
            <td class="what">
              {item.deletedAt ? (
                <Mark icon="cross" tone="quiet" word="deleted" />
              ) : (
                <Mark icon="check" tone="good" word="live" />
              )}
            </td>
            <td class="when">
              <Ago at={item.clerkUpdatedAt} />
            </td>
            <td class="next">
              <Ago at={item.syncedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Empty({ kind, isFiltered }: { readonly kind: ResourceKind; readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Notice icon="search" title="No row matches.">
        <p>This box matches exact values. Press / to search names and prefixes.</p>
        <a class="button plain" href={pathOf('resources', kind.resource)}>
          Clear the filter
        </a>
      </Notice>
    )
  return (
    <Notice icon="resources" title={`No ${words(kind.resource)} here yet.`}>
      {has('clerkApi') ? (
        <NewJobButton kind="backfill" text="Start a backfill" isMain resource={kind.resource} />
      ) : (
        <p>
          Events fill this table. Set <code>CLERK_SECRET_KEY</code> to import existing data with a backfill.
        </p>
      )}
    </Notice>
  )
}
