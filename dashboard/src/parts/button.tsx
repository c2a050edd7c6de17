/** Buttons: one main action to a place, the others quiet. */

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { fail } from './toast.tsx'

interface ButtonProps {
  readonly onClick?: (() => unknown) | undefined
  readonly kind?: 'main' | 'plain' | 'danger' | 'bare'
  readonly children: ComponentChildren
  readonly label?: string | undefined
  readonly title?: string | undefined
  readonly disabled?: boolean
  readonly type?: 'button' | 'submit'
  readonly pressed?: boolean | undefined
}

export function Button({ onClick, kind = 'plain', children, label, pressed, ...rest }: ButtonProps) {
  const [isBusy, setBusy] = useState(false)
  const click = async () => {
    if (isBusy) return
    const result = onClick?.()
    if (!(result instanceof Promise)) return
    setBusy(true)
    await result.catch(fail)
    setBusy(false)
  }
  return (
    <button
      type="button"
      {...rest}
      class={`button ${kind}`}
      aria-label={label}
      aria-pressed={pressed}
      aria-busy={isBusy}
      onClick={onClick && (() => void click())}
    >
      {children}
    </button>
  )
}

/** A link that looks like a button: it goes somewhere and does nothing. */
export function ButtonLink({ children, ...rest }: JSX.IntrinsicElements['a']) {
  return (
    <a {...rest} class={`button ${rest.class ?? 'plain'}`}>
      {children}
    </a>
  )
}
