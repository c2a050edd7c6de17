/** The filter, as a text box and as menus. Both reflect the address. */

import { useCallback, useRef, useState } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import type { EventOutcome, RunState } from '../api.ts'
import { changesOf, FILTER_NAMES, isFiltered, textOf } from '../filter.ts'
import { title, words } from '../format.ts'
import { setQuery, usePlace } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Icon } from '../parts/icon.tsx'
import { OUTCOMES, RUNS } from '../parts/mark.tsx'
import { Menu } from '../parts/menu.tsx'
import { useShortcut } from '../shortcuts.ts'

export function EventFilter() {
  const { query } = usePlace()
  const { value: resources } = useAnswer('GET resources', {})
  const { value: handlers } = useAnswer('GET handlers', {})
  const clear = () => setQuery(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])))
  return (
    <div class="filter">
      <FilterBox />
      <div class="facets">
        <Facet
          name="outcome"
          label="Outcome"
          options={Object.keys(OUTCOMES)}
          text={(each) => OUTCOMES[each as EventOutcome].word}
        />
        <Facet
          name="resource"
          label="Resource"
          options={resources?.kinds.map(({ resource }) => resource) ?? []}
          text={title}
        />
        <Facet
          name="type"
          label="Type"
          options={typesOf(resources?.kinds.map(({ resource }) => resource) ?? [])}
          text={String}
        />
        {handlers && handlers.handlers.length > 0 && (
          <>
            <Facet
              name="handler"
              label="Handler"
              options={handlers.handlers.map(({ name }) => name)}
              text={String}
              isSingle
            />
            <Facet
              name="run"
              label="Run"
              options={['failing', ...Object.keys(RUNS)]}
              text={(each) => RUNS[each as RunState]?.word ?? 'failing (retrying or out of retries)'}
              isSingle
            />
          </>
        )}
        {isFiltered(query) && (
          <Button kind="bare" onClick={clear}>
            Clear
          </Button>
        )}
      </div>
    </div>
  )
}

/** A resource's events all begin with the same word. */
function typesOf(resources: readonly string[]): string[] {
  return resources.map((resource) => `${EVENT_WORDS[resource] ?? camel(resource.replace(/s$/, ''))}.*`)
}

const EVENT_WORDS: Readonly<Record<string, string>> = {
  emails: 'email',
  sms_messages: 'sms',
  waitlist_entries: 'waitlistEntry',
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function FilterBox() {
  const { query } = usePlace()
  const text = textOf(query)
  const box = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState<string>()
  useShortcut(
    'f',
    useCallback(() => box.current?.focus(), []),
  )
  const apply = (event: SubmitEvent) => {
    event.preventDefault()
    if (typed !== undefined) setQuery(changesOf(typed))
    setTyped(undefined)
  }
  return (
    <form class="filter-box" onSubmit={apply}>
      <Icon name="search" />
      <input
        ref={box}
        type="search"
        aria-label="Filter"
        placeholder="type:user.* outcome:failed since:1h, or an id"
        value={typed ?? text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          setTyped(undefined)
          event.currentTarget.blur()
        }}
      />
    </form>
  )
}

interface FacetProps {
  readonly name: string
  readonly label: string
  readonly options: readonly string[]
  readonly text: (option: string) => string
  /** Only one can be chosen. */
  readonly isSingle?: boolean
}

function Facet({ name, label, options, text, isSingle = false }: FacetProps) {
  const { query } = usePlace()
  const chosen = query.getAll(name)
  // The address may hold other values.
  const all = [...new Set([...options, ...chosen])]
  const toggle = (option: string, isChosen: boolean) => {
    const others = isSingle ? [] : chosen.filter((each) => each !== option)
    const next = isChosen ? [...others, option] : others
    setQuery({ [name]: next.length > 0 ? next : undefined })
  }
  const shown = chosen.length === 1 ? words(chosen[0] ?? '') : String(chosen.length)
  return (
    <Menu label={chosen.length > 0 ? `${label}: ${shown}` : label} isActive={chosen.length > 0}>
      {() => (
        <fieldset class="menu-options">
          <legend class="sr">{label}</legend>
          {all.map((option) => (
            <label key={option} class="menu-option">
              <input
                type="checkbox"
                checked={chosen.includes(option)}
                onChange={(event) => toggle(option, event.currentTarget.checked)}
              />
              {text(option)}
            </label>
          ))}
        </fieldset>
      )}
    </Menu>
  )
}
