/** Keyboard shortcuts: single keys, two in a row, and with ⌘ or Ctrl. Silent while one types and behind dialogs. */

import { useEffect } from 'preact/hooks'
import { singleKeys } from './preferences.ts'

type Action = (event: KeyboardEvent) => void

/** The innermost component's action counts, so each key has a stack. */
const actions = new Map<string, Action[]>()
/** The second key of two must come within this many milliseconds. */
const SEQUENCE_MS = 1_000

let first: { readonly key: string; readonly at: number } | undefined

/**
 * @param keys `j`, `g o`, `mod+k`
 * @param action undefined: not now
 */
export function useShortcut(keys: string, action: Action | undefined): void {
  useEffect(() => {
    if (!action) return
    const stack = actions.get(keys) ?? []
    actions.set(keys, stack)
    stack.push(action)
    return () => void stack.splice(stack.indexOf(action), 1)
  }, [keys, action])
}

export function followKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return
    const action = actionOf(event)
    if (!action) return
    event.preventDefault()
    action(event)
  })
}

function actionOf(event: KeyboardEvent): Action | undefined {
  const isModified = event.metaKey || event.ctrlKey
  if (isModified) return last(`mod+${event.key.toLowerCase()}`)
  if (event.altKey || singleKeys.value === 'off' || isTyping(event.target) || isBehindDialog())
    return undefined
  const pair =
    first && event.timeStamp - first.at < SEQUENCE_MS ? last(`${first.key} ${event.key}`) : undefined
  first = { key: event.key, at: event.timeStamp }
  return pair ?? last(event.key)
}

function last(keys: string): Action | undefined {
  return actions.get(keys)?.at(-1)
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

function isBehindDialog(): boolean {
  return document.querySelector('dialog[open]') !== null
}

const isApple = /Mac|iPhone|iPad/.test(navigator.platform)
/** As the key is called on this machine. */
export const MOD = isApple ? '⌘' : 'Ctrl'

/** What the sheet behind `?` shows. */
export const SHEET: readonly {
  readonly title: string
  readonly keys: readonly (readonly [string, string])[]
}[] = [
  {
    title: 'Go to',
    keys: [
      ['g o', 'Overview'],
      ['g e', 'Events'],
      ['g r', 'Resources'],
      ['g f', 'Failures'],
      ['g b', 'Jobs'],
      ['g h', 'Health'],
      ['g s', 'Settings'],
      [`${MOD} k`, 'Search'],
      ['/', 'Search'],
    ],
  },
  {
    title: 'In a list',
    keys: [
      ['j', 'Next row'],
      ['k', 'Previous row'],
      ['Enter', 'Open'],
      ['x', 'Select'],
      ['f', 'Filter'],
      ['l', 'Show new events'],
    ],
  },
  {
    title: 'On an event',
    keys: [
      ['r', 'Retry the failing handler, or replay'],
      ['c', 'Copy its ID'],
      ['Esc', 'Close'],
    ],
  },
  {
    title: 'Everywhere',
    keys: [
      [`${MOD} b`, 'Hide or show the sidebar'],
      ['?', 'Keyboard shortcuts'],
    ],
  },
]
