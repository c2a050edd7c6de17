/** The frame around every page: navigation, search, live state. */

import type { ComponentChildren } from 'preact'
import { useCallback, useState } from 'preact/hooks'
import { useAnswer } from './answers.ts'
import type { Overview, Quantity, Session } from './api.ts'
import { number, quantity } from './format.ts'
import { liveState } from './live.ts'
import { go, usePlace } from './location.ts'
import { Search } from './pages/search.tsx'
import { ShortcutSheet } from './pages/shortcut-sheet.tsx'
import { PAGES, type PageEntry } from './pages.ts'
import { Button } from './parts/button.tsx'
import { Icon } from './parts/icon.tsx'
import { setTheme, theme } from './preferences.ts'
import { signOut } from './session.ts'
import { MOD, useShortcut } from './shortcuts.ts'
import { useStore } from './store.ts'

interface ShellProps {
  readonly session: Session
  readonly children: ComponentChildren
}

type Sheet = 'search' | 'shortcuts' | undefined

export function Shell({ session, children }: ShellProps) {
  const [sheet, setSheet] = useState<Sheet>()
  const openSearch = useCallback(() => setSheet('search'), [])
  useShortcut('mod+k', openSearch)
  useShortcut('/', openSearch)
  // Not stored: a reload shows the pages again after an accidental press.
  const [isWide, setWide] = useState(false)
  useShortcut(
    'mod+b',
    useCallback(() => setWide((before) => !before), []),
  )
  useShortcut(
    '?',
    useCallback(() => setSheet('shortcuts'), []),
  )
  const close = () => setSheet(undefined)
  return (
    <div class={`shell ${isWide ? 'wide' : ''}`}>
      <a class="skip-link" href="#content">
        Skip to content
      </a>
      <Header session={session} onSearch={openSearch} onShortcuts={() => setSheet('shortcuts')} />
      <Navigation session={session} />
      <main id="content" class="content" tabIndex={-1}>
        {children}
      </main>
      {sheet === 'search' && <Search onClose={close} />}
      {sheet === 'shortcuts' && <ShortcutSheet onClose={close} />}
    </div>
  )
}

interface HeaderProps {
  readonly session: Session
  readonly onSearch: () => void
  readonly onShortcuts: () => void
}

function Header({ session, onSearch, onShortcuts }: HeaderProps) {
  return (
    <header class="header">
      <a class="brand" href="./">
        <svg class="brand-mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M22.5 11.5a8 8 0 0 0-13.6 2M9.5 20.5a8 8 0 0 0 13.6-2M22.8 7.5v4.3h-4.3M9.2 24.5v-4.3h4.3" />
        </svg>
        <span class="brand-name">clerk-sync</span>
      </a>
      <span class={`badge ${session.environment}`}>{session.environment}</span>
      {session.instanceIds.map((id) => (
        <code key={id} class="instance">
          {id}
        </code>
      ))}
      <button type="button" class="search-button" onClick={onSearch}>
        <Icon name="search" />
        <span>Search event, user, e-mail…</span>
        <kbd>{MOD} K</kbd>
      </button>
      <Live />
      <ThemeSwitch />
      <Button kind="bare" label="Keyboard shortcuts" onClick={onShortcuts}>
        <Icon name="keys" />
      </Button>
    </header>
  )
}

const LIVE_WORDS = { connecting: 'connecting', live: 'live', polling: 'every 2 s', paused: 'paused' } as const

function Live() {
  const state = useStore(liveState)
  return (
    <span class={`live ${state}`} title="How this page is kept up to date">
      <span class="live-dot" />
      {LIVE_WORDS[state]}
    </span>
  )
}

const NEXT_THEME = { system: 'light', light: 'dark', dark: 'system' } as const

function ThemeSwitch() {
  const current = useStore(theme)
  return (
    <Button kind="bare" label={`Theme: ${current}. Change it`} onClick={() => setTheme(NEXT_THEME[current])}>
      <Icon name="theme" />
    </Button>
  )
}

function Navigation({ session }: { readonly session: Session }) {
  const { path } = usePlace()
  const { value: overview } = useAnswer('GET overview', {}, OVERVIEW_MS)
  const [isOpen, setOpen] = useState(false)
  const first = path.split('/')[0] ?? ''
  const current = PAGES.find((page) => page.path === first)
  return (
    <nav class={`navigation ${isOpen ? 'open' : ''}`} aria-label="Pages">
      <button type="button" class="navigation-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name="menu" /> {current?.name ?? 'Pages'}
      </button>
      <ul onClick={() => setOpen(false)} onKeyDown={undefined}>
        {PAGES.filter(({ isShown }) => isShown?.() ?? true).map((page) => (
          <NavigationItem key={page.path} page={page} isCurrent={page.path === first} overview={overview} />
        ))}
      </ul>
      <footer class="navigation-foot">
        <span>
          {session.name} · {session.isReadOnly ? 'read only' : session.role}
        </span>
        <span>
          {session.database.name}, {session.database.schema}
        </span>
        <span>clerk-sync {session.version}</span>
        {session.canSignOut && (
          <button type="button" class="link" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </footer>
    </nav>
  )
}

/** The stream pushes changes; polling covers the rest. */
const OVERVIEW_MS = 15_000

interface NavigationItemProps {
  readonly page: PageEntry
  readonly isCurrent: boolean
  readonly overview: Overview | undefined
}

function NavigationItem({ page, isCurrent, overview }: NavigationItemProps) {
  useShortcut(
    `g ${page.key}`,
    useCallback(() => go(page.path), [page.path]),
  )
  const { text, tone } = badgeOf(page.path, overview)
  return (
    <li>
      <a href={page.path || './'} aria-current={isCurrent ? 'page' : undefined}>
        <Icon name={page.icon} />
        {page.name}
        {text && <span class={`count ${tone}`}>{text}</span>}
      </a>
    </li>
  )
}

function badgeOf(path: string, overview: Overview | undefined): { text: string; tone: string } {
  if (!overview) return NO_BADGE
  if (path === 'failures') return { text: some(overview.failingRuns), tone: 'bad' }
  if (path === 'rejected') return { text: some(overview.notApplied.rejected), tone: '' }
  if (path === 'jobs' && overview.jobs.length > 0) return { text: number(overview.jobs.length), tone: '' }
  return NO_BADGE
}

const NO_BADGE = { text: '', tone: '' }

function some(amount: Quantity): string {
  return amount.value === 0 ? '' : quantity(amount)
}
