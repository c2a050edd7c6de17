/**
 * Sends a changed copy of an event as a new message with its own id and signature. Needs a simulator, which signs it.
 */

import { useState } from 'preact/hooks'
import { refresh } from '../answers.ts'
import { call, type EventDetail, Refusal } from '../api.ts'
import { go, pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { say } from '../parts/toast.tsx'
import { has, may } from '../session.ts'

interface EditAndReplayProps {
  readonly event: EventDetail
  readonly reveal: () => Promise<EventDetail>
}

export function EditAndReplay({ event, reveal }: EditAndReplayProps) {
  const [text, setText] = useState<string>()
  const { type, body } = event
  if (!has('simulator') || !may('operator') || type === null || body.text === null || !body.isJson)
    return null
  const open = async () => {
    const { body } = event.body.isMasked ? await reveal() : event
    setText(JSON.stringify(JSON.parse(body.text ?? '{}').data, null, 2))
  }
  const send = async (form: FormData) => {
    const data = renewed(parse(String(form.get('data'))), text)
    const { eventId, outcome } = await call('POST simulator', { body: { type, data } })
    refresh()
    say(`Sent ${type}: ${outcome}.`)
    go(pathOf('events', eventId))
  }
  return (
    <>
      <Button onClick={open}>Edit and replay…</Button>
      {text !== undefined && (
        <Confirm
          title={`Edit and replay ${type}`}
          button="Send"
          onConfirm={send}
          onClose={() => setText(undefined)}
        >
          <p>
            Sends the edited data as a new signed event; the original event does not change.{' '}
            <code>updated_at</code> becomes now unless you edit it, so that the change is applied.
          </p>
          <label>
            Data
            <textarea name="data" rows={18} spellcheck={false} autofocus defaultValue={text} />
          </label>
        </Confirm>
      )}
    </>
  )
}

/** With the old `updated_at` it would be stale, because the row already has that state. */
function renewed(data: unknown, original = ''): unknown {
  const before = parse(original) as { updated_at?: unknown }
  const isSame = (data as typeof before | null)?.updated_at === before.updated_at
  if (typeof before.updated_at !== 'number' || !isSame) return data
  return { ...(data as object), updated_at: Date.now() }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, { code: 'not_json', message: 'The data is not JSON.', remedy: String(error) })
  }
}
