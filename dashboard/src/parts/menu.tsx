/** A button that opens a small sheet below itself: a popover of the browser's own, which closes by Escape or a click. */

import type { ComponentChildren } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface MenuProps {
  readonly label: ComponentChildren
  readonly isActive?: boolean
  readonly children: (close: () => void) => ComponentChildren
}

const MARGIN = 8

export function Menu({ label, isActive = false, children }: MenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const sheet = useRef<HTMLDivElement>(null)
  const [isOpen, setOpen] = useState(false)
  const place = () => {
    if (!button.current || !sheet.current) return
    const { left, bottom } = button.current.getBoundingClientRect()
    const { style, offsetWidth } = sheet.current
    style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - offsetWidth - MARGIN))}px`
    style.top = `${bottom + 4}px`
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`button plain menu-button ${isActive ? 'active' : ''}`}
        popovertarget={id}
        aria-expanded={isOpen}
      >
        {label}
        <Icon name="down" />
      </button>
      <div
        ref={sheet}
        id={id}
        popover="auto"
        class="menu"
        onToggle={(event) => {
          setOpen(event.newState === 'open')
          place()
        }}
      >
        {isOpen && children(() => sheet.current?.hidePopover())}
      </div>
    </>
  )
}
