/** Finds rows, events, handlers and jobs by id, e-mail address, slug or name. */

import { useEffect, useState } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import type { AnswerOf, SearchHit } from '../api.ts'
import { words } from '../format.ts'
import { go, pathOf } from '../location.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'

/** Waits for a pause in typing. */
const PAUSE_MS = 150

export function Search({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const q = usePaused(text.trim())
  const { value, problem } = useAnswer('GET search', q === '' ? null : { query: { q } })
  const hits = value?.hits ?? []
  const open = (hit: SearchHit | undefined) => {
    if (!hit) return
    onClose()
    go(pathOfHit(hit))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 }
    const step = steps[event.key]
    if (event.key === 'Enter') open(hits[chosen])
    else if (step && hits.length > 0) setChosen((chosen + step + hits.length) % hits.length)
    else return
    event.preventDefault()
  }
  return (
    <Dialog title="Search" class="search" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-label="Name, e-mail address, slug, Clerk id, event id, handler"
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits.length > 0 ? `hit-${chosen}` : undefined}
        placeholder="Name, e-mail address, slug, Clerk id, event id, handler"
        value={text}
        autofocus
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id="search-hits" role="listbox" aria-label="Found" class="hits">
        {hits.map((hit, index) => (
          <Hit
            key={`${hit.kind} ${hit.id}`}
            hit={hit}
            id={`hit-${index}`}
            isChosen={index === chosen}
            onOpen={() => open(hit)}
          />
        ))}
      </div>
      <p class="search-hint quiet" role="status">
        {problem ? `${problem.message} ${problem.remedy}` : hintOf(q, value)}
      </p>
    </Dialog>
  )
}

interface HitProps {
  readonly hit: SearchHit
  readonly id: string
  readonly isChosen: boolean
  readonly onOpen: () => void
}

function Hit({ hit, id, isChosen, onOpen }: HitProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of a combobox are those of its input
    <div id={id} role="option" aria-selected={isChosen} tabIndex={-1} onClick={onOpen}>
      <Icon name={HIT_ICONS[hit.kind]} />
      <span class="hit-title">{hit.title}</span>
      <span class="quiet">
        {hit.resource ? words(hit.resource) : hit.kind} · {words(hit.field)}
      </span>
    </div>
  )
}

const HIT_ICONS: Readonly<Record<SearchHit['kind'], IconName>> = {
  event: 'events',
  resource: 'resources',
  handler: 'settings',
  job: 'jobs',
}

function hintOf(q: string, found: AnswerOf<'GET search'> | undefined): string {
  if (q === '') return 'Type the beginning or some letters of a name. ↑ ↓ to choose, ↵ to open.'
  if (found === undefined) return 'Searching…'
  if (found.isPartial) return 'Too many rows to search inside names. Showing exact matches and prefixes.'
  return found.hits.length === 0 ? 'No matches.' : ''
}

function pathOfHit({ kind, id, resource }: SearchHit): string {
  if (kind === 'resource' && resource) return pathOf('resources', resource, id)
  if (kind === 'event') return pathOf('events', id)
  if (kind === 'job') return pathOf('jobs', id)
  return `failures?handler=${encodeURIComponent(id)}`
}

function usePaused(text: string): string {
  const [paused, setPaused] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return paused
}
