/** A dialog of the browser's own: it keeps the focus, gives it back, and closes with Escape. */

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { type Problem, problemOf } from '../api.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import { ProblemLine } from './notice.tsx'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly class?: string
}

export function Dialog({ title, onClose, children, class: name = '' }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    dialog.current?.showModal()
    return () => dialog.current?.close()
  }, [])
  return (
    <dialog ref={dialog} class={`dialog ${name}`} aria-labelledby={id} onClose={onClose}>
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button kind="bare" label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="cross" />
        </Button>
      </header>
      {children}
    </dialog>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly button: string
  readonly isDangerous?: boolean
  readonly isReady?: boolean
  readonly onConfirm: (form: FormData) => Promise<unknown>
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Asks before something is done; stays open and says why if it could not be. ⌘↵ confirms. */
export function Confirm({
  title,
  button,
  isDangerous,
  isReady = true,
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  const [problem, setProblem] = useState<Problem>()
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    if (isBusy || !isReady) return
    setBusy(true)
    await onConfirm(new FormData(event.currentTarget)).then(onClose, (error) => setProblem(problemOf(error)))
    setBusy(false)
  }
  const submitByKey = (event: KeyboardEvent & { currentTarget: HTMLFormElement }) => {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} onKeyDown={submitByKey}>
        <div class="dialog-body">{children}</div>
        <ProblemLine problem={problem} />
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={isDangerous ? 'danger' : 'main'} disabled={!isReady || isBusy}>
            {isBusy ? 'Working…' : button}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
