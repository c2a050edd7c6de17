/** Where the page is: the path below the dashboard's base, and the query. Filters, ranges and selections live in it. */

import { Store, useStore } from './store.ts'

export interface Place {
  /** `events/msg_…`, percent-encoded as in the address bar. */
  readonly path: string
  readonly query: URLSearchParams
}

const base = () => new URL(document.baseURI).pathname

function readPlace(): Place {
  const path = location.pathname.startsWith(base()) ? location.pathname.slice(base().length) : ''
  return { path: path.replace(/\/$/, ''), query: new URLSearchParams(location.search) }
}

const place = new Store<Place>({ path: '', query: new URLSearchParams() })

/** Starts to follow the address bar and the page's links. */
export function followLocation(): void {
  place.set(readPlace())
  addEventListener('popstate', () => place.set(readPlace()))
  document.addEventListener('click', followLink)
}

/** Links with a modifier key or a target keep the browser's behavior. */
function followLink(event: MouseEvent): void {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (event.defaultPrevented || !isPlain || !link || link.target || link.hasAttribute('download')) return
  const url = new URL(link.href, document.baseURI)
  if (url.origin !== location.origin || !url.pathname.startsWith(base())) return
  event.preventDefault()
  if (url.hash && url.pathname === location.pathname) focusOn(url.hash)
  else go(url.pathname.slice(base().length) + url.search)
}

function focusOn(hash: string): void {
  const target = document.getElementById(hash.slice(1))
  target?.focus()
  target?.scrollIntoView()
}

/** Goes to a path below the base. */
export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  const url = base() + address
  if (url === location.pathname + location.search) return
  const before = readPlace()
  if (how === 'push') history.pushState(null, '', url)
  else history.replaceState(null, '', url)
  place.set(readPlace())
  // Another page begins at its top; another row of the same list does not move it.
  if (before.path.split('/')[0] !== place.value.path.split('/')[0]) scrollTo(0, 0)
}

export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>

/** The address of a path with the present query changed; undefined removes a name. */
export function withQuery(changes: Changes, path = place.value.path): string {
  const query = new URLSearchParams(place.value.query)
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name)
    for (const each of value === undefined ? [] : [value].flat()) query.append(name, each)
  }
  const search = query.toString()
  return search ? `${path}?${search}` : path
}

export function setQuery(changes: Changes, how: 'push' | 'replace' = 'push'): void {
  go(withQuery(changes), how)
}

export function usePlace(): Place {
  return useStore(place)
}

/** A path of encoded segments: ids hold arbitrary text. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join('/')
}
