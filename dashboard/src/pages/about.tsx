/** The subject of a row: its name if it has one, with the id on hover. */

import type { Subject } from '../api.ts'
import { words } from '../format.ts'

export function About({ subject }: { readonly subject: Subject | null }) {
  if (!subject) return <span class="quiet">–</span>
  const { resource, id, label, detail } = subject
  return (
    <span title={`${words(resource)} ${id}`}>
      {label ?? <code>{id}</code>}
      {detail && <span class="quiet"> · {detail}</span>}
    </span>
  )
}
