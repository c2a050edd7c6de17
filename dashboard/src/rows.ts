/** Moving through the rows of a list by keyboard. Each row has one link, marked `data-row`: the focus goes from one to the next. */

import { useShortcut } from './shortcuts.ts'

const step = (distance: number) => () => {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex(
    (row) => row === document.activeElement || row.getAttribute('aria-current') === 'true',
  )
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + distance))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

const down = step(1)
const up = step(-1)

const select = () =>
  document.activeElement?.closest('tr')?.querySelector<HTMLInputElement>('input[type="checkbox"]')?.click()

export function useRowKeys(): void {
  useShortcut('j', down)
  useShortcut('k', up)
  useShortcut('x', select)
}
