/** One row: its values, Clerk's values, its history and its relations. */

import { useState } from 'preact/hooks'
import { refresh, useAnswer } from '../answers.ts'
import type { Comparison, ResourceDetail } from '../api.ts'
import { call } from '../api.ts'
import { count, title, words } from '../format.ts'
import { pathOf, usePlace } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Id } from '../parts/copy.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { RowValues } from '../parts/fields.tsx'
import { Icon } from '../parts/icon.tsx'
import { Json } from '../parts/json.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { Ago } from '../parts/time.tsx'
import { say } from '../parts/toast.tsx'
import { has, may } from '../session.ts'
import { ComparisonView, RESULTS } from './comparison.tsx'
import { EventRows } from './event-rows.tsx'
import { ResourceRows } from './resources.tsx'
import { usePages } from './use-pages.ts'

const RESOURCE_MS = 10_000

interface ResourceProps {
  readonly resource: string
  readonly id: string
}

export function ResourcePage({ resource, id }: ResourceProps) {
  const answer = useAnswer('GET resources/{resource}/{id}', { path: { resource, id } }, RESOURCE_MS)
  const [revealed, setRevealed] = useState<ResourceDetail>()
  const [comparison, setComparison] = useState<Comparison>()
  const path = { resource, id }
  const shown = revealed && isSame(revealed, answer.value) ? revealed : answer.value
  const isRevealed = shown !== undefined && shown === revealed
  const compare = async () =>
    setComparison(
      await call('POST resources/{resource}/{id}/compare', { path, body: { reveal: isRevealed } }),
    )
  const reveal = async () => setRevealed(await call('POST resources/{resource}/{id}/reveal', { path }))
  const apply = async () => {
    const result = await call('POST resources/{resource}/{id}/apply', { path })
    setComparison(result)
    refresh('resources', 'overview')
    if (isRevealed) await reveal()
    say(`Applied Clerk’s version: ${RESULTS[result.result].word}.`)
  }
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="resources">Resources</a> / <a href={pathOf('resources', resource)}>{title(resource)}</a>
      </nav>
      <Shown answer={{ ...answer, value: shown }}>
        {(item) => (
          <Resource
            item={item}
            comparison={comparison}
            actions={<Actions item={item} compare={compare} reveal={reveal} />}
            apply={apply}
          />
        )}
      </Shown>
    </>
  )
}

/** Whether the row is unchanged since it was read. */
function isSame(one: ResourceDetail, other: ResourceDetail | undefined): boolean {
  return (
    one.syncedAt === other?.syncedAt && one.eventId === other.eventId && one.deletedAt === other.deletedAt
  )
}

interface ActionsProps {
  readonly item: ResourceDetail
  readonly compare: () => Promise<void>
  readonly reveal: () => Promise<void>
}

function Actions({ item, compare, reveal }: ActionsProps) {
  return (
    <div class="actions">
      {has('clerkApi') && (
        <Button kind="main" onClick={compare}>
          Compare with Clerk
        </Button>
      )}
      {may('operator') && item.isMasked && (
        <Button onClick={reveal}>
          <Icon name="eye" /> Reveal
        </Button>
      )}
      {item.clerkUrl && isWebAddress(item.clerkUrl) && (
        <a class="button plain" href={item.clerkUrl} target="_blank" rel="noreferrer">
          Open in Clerk <Icon name="external" />
        </a>
      )}
    </div>
  )
}

function isWebAddress(url: string): boolean {
  return url.startsWith('https://')
}

interface ResourceViewProps {
  readonly item: ResourceDetail
  readonly comparison: Comparison | undefined
  readonly actions: preact.JSX.Element
  readonly apply: () => Promise<void>
}

function Resource({ item, comparison, actions, apply }: ResourceViewProps) {
  return (
    <>
      <header class="page-head">
        <h1>
          {item.label ?? item.id}
          {item.detail && <small> {item.detail}</small>}
        </h1>
        <Id id={item.id} />
        {actions}
      </header>
      <p class="resource-state">
        Synced <Ago at={item.syncedAt} />
        {item.eventId && (
          <>
            {' '}
            from <a href={pathOf('events', item.eventId)}>its latest event</a>
          </>
        )}
        {' · '}
        {item.deletedAt ? (
          <>
            deleted <Ago at={item.deletedAt} />
          </>
        ) : (
          'live'
        )}
        {item.isMasked && ' · personal data is masked'}
      </p>
      {comparison && <ComparisonView comparison={comparison} applyButton={<ApplyButton apply={apply} />} />}
      <ResourceTabs item={item} />
    </>
  )
}

function ApplyButton({ apply }: { readonly apply: () => Promise<void> }) {
  const [isAsking, setAsking] = useState(false)
  if (!may('admin')) return null
  return (
    <>
      <Button kind="main" onClick={() => setAsking(true)}>
        Apply Clerk’s version
      </Button>
      {isAsking && (
        <Confirm
          title="Apply Clerk’s version"
          button="Apply"
          onConfirm={apply}
          onClose={() => setAsking(false)}
        >
          <p>
            Fetches the resource again and applies it under the same rule as events: a newer row is kept. The
            audit log records who did this.
          </p>
        </Confirm>
      )}
    </>
  )
}

function ResourceTabs({ item }: { readonly item: ResourceDetail }) {
  const { query } = usePlace()
  const children = item.children.filter(({ rows }) => rows.length > 0)
  const links = item.links.filter(({ items }) => items.length > 0)
  const tabs = [
    { id: 'row', text: 'Row' },
    { id: 'raw', text: 'Clerk’s JSON' },
    { id: 'history', text: 'History' },
    ...children.map(({ table, rows }) => ({ id: table, text: title(table), count: rows.length })),
    ...links.map((link) => ({ id: linkId(link), text: title(link.resource), count: link.items.length })),
  ]
  const chosen = query.get('tab')
  const current = tabs.some(({ id }) => id === chosen) ? (chosen as string) : 'row'
  const child = children.find(({ table }) => table === current)
  const link = links.find((each) => linkId(each) === current)
  return (
    <>
      <Tabs label="Parts of the row" name="tab" tabs={tabs} current={current} />
      <div class="tab">
        {current === 'row' && <Row item={item} />}
        {current === 'raw' && <Raw item={item} />}
        {current === 'history' && <History resource={item.resource} id={item.id} />}
        {child && <ChildRows rows={child.rows} table={child.table} />}
        {link && (
          <>
            <ResourceRows items={link.items} />
            {link.hasMore && <p class="quiet">Only the first rows are shown.</p>}
          </>
        )}
      </div>
    </>
  )
}

function linkId({ resource, column }: ResourceDetail['links'][number]): string {
  return `${resource}.${column}`
}

function Row({ item }: { readonly item: ResourceDetail }) {
  return (
    <>
      <RowValues row={item.row} />
      <p class="sql">
        <Id id={item.sql} what="the SQL" />
      </p>
    </>
  )
}

function Raw({ item }: { readonly item: ResourceDetail }) {
  return item.raw === null ? (
    <Notice icon="inbox" title="Only its deletion was received, so there is no JSON." />
  ) : (
    <Json text={item.raw} name={item.id} />
  )
}

function History({ resource, id }: ResourceProps) {
  const pages = usePages(
    'GET resources/{resource}/{id}/history',
    { path: { resource, id } },
    (event) => event.id,
  )
  return (
    <>
      <Shown answer={pages.first}>
        {() =>
          pages.items.length > 0 ? (
            <EventRows events={pages.items} keepsQuery={false} />
          ) : (
            <Notice icon="events" title="No events for this resource.">
              <p>It was imported by a backfill or inside another resource.</p>
            </Notice>
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

interface ChildRowsProps {
  readonly table: string
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

function ChildRows({ rows, table }: ChildRowsProps) {
  return (
    <div class="runs">
      {rows.map((row, index) => (
        <section key={String(row.id ?? index)} class="run" aria-label={`${words(table)} ${index + 1}`}>
          <RowValues row={row} />
        </section>
      ))}
      <p class="quiet">{count(rows.length, 'row')}</p>
    </div>
  )
}
