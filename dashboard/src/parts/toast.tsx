/** Announces the result of an action once, to screen readers too. */

import { problemOf } from '../api.ts'
import { Store, useStore } from '../store.ts'
import { Icon } from './icon.tsx'

interface Toast {
  readonly text: string
  readonly tone: 'good' | 'bad'
  readonly link?: { readonly href: string; readonly text: string }
}

const toast = new Store<Toast | undefined>(undefined)
/** Long enough to read two sentences; errors stay until they are closed. */
const SHOWN_MS = 8_000
let timer: ReturnType<typeof setTimeout> | undefined

export function say(text: string, link?: Toast['link']): void {
  show({ text, tone: 'good', ...(link && { link }) })
  timer = setTimeout(() => toast.set(undefined), SHOWN_MS)
}

/** Shows a thrown error with the server's message. */
export function fail(error: unknown): void {
  const { message, remedy } = problemOf(error)
  show({ text: `${message} ${remedy}`, tone: 'bad' })
}

function show(value: Toast): void {
  clearTimeout(timer)
  toast.set(value)
}

export function Toasts() {
  const current = useStore(toast)
  return (
    <div class="toasts" role="status" aria-live="polite">
      {current && (
        <div class={`toast ${current.tone}`}>
          <Icon name={current.tone === 'good' ? 'check' : 'warning'} />
          <span>
            {current.text} {current.link && <a href={current.link.href}>{current.link.text}</a>}
          </span>
          <button type="button" class="button bare" aria-label="Close" onClick={() => toast.set(undefined)}>
            <Icon name="cross" />
          </button>
        </div>
      )}
    </div>
  )
}
