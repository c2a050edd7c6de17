/** Copies a text, and says so. */

import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import { say } from './toast.tsx'

export async function copy(text: string, what: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  say(`Copied ${what}.`)
}

/** An id, whole, and a button that copies it. */
export function Id({ id, what = 'the id' }: { readonly id: string; readonly what?: string }) {
  return (
    <span class="id">
      <code>{id}</code>
      <Button kind="bare" label={`Copy ${what}`} onClick={() => copy(id, what)}>
        <Icon name="copy" />
      </Button>
    </span>
  )
}
