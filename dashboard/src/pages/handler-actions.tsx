/** Actions on a handler and its runs: retry, discard, mute, pause. */

import { useState } from 'preact/hooks'
import { refresh } from '../answers.ts'
import { call } from '../api.ts'
import { count } from '../format.ts'
import { pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { RUNS } from '../parts/mark.tsx'
import { say } from '../parts/toast.tsx'

const REFRESHED = ['events', 'failures', 'handlers', 'overview'] as const

/** Retries one run now and reports its result. */
export async function retryRun(eventId: string, handler: string): Promise<void> {
  const run = await call('POST events/{id}/runs/{handler}/retry', {
    path: { id: eventId, handler },
    body: {},
  })
  refresh(...REFRESHED)
  say(`${handler}: ${RUNS[run.state].word}.`, { href: pathOf('events', eventId), text: 'Open the event' })
}

export async function muteGroup(handler: string, fingerprint: string, hours: number): Promise<void> {
  await call('POST failures/mute', { body: { handler, fingerprint, hours } })
  refresh(...REFRESHED)
  say(`Muted for ${count(hours, 'hour')}. Its runs are still retried.`)
}

export async function unmuteGroup(handler: string, fingerprint: string): Promise<void> {
  await call('POST failures/unmute', { body: { handler, fingerprint } })
  refresh(...REFRESHED)
  say('Unmuted.')
}

interface DiscardProps {
  readonly eventId: string
  readonly handler: string
  readonly onDone?: () => Promise<void>
}

export function DiscardButton({ eventId, handler, onDone }: DiscardProps) {
  const [isAsking, setAsking] = useState(false)
  const discard = async (form: FormData) => {
    const body = { reason: String(form.get('reason')) }
    await call('POST events/{id}/runs/{handler}/discard', { path: { id: eventId, handler }, body })
    refresh(...REFRESHED)
    say(`Discarded the ${handler} run.`)
    await onDone?.()
  }
  return (
    <>
      <Button onClick={() => setAsking(true)}>Discard…</Button>
      {isAsking && (
        <Confirm
          title={`Discard the ${handler} run`}
          button="Discard"
          isDangerous
          onConfirm={discard}
          onClose={() => setAsking(false)}
        >
          <p>
            The run is not retried and no longer counts as a failure. The event and its rows do not change.
          </p>
          <Reason />
        </Confirm>
      )}
    </>
  )
}

export function Reason() {
  return (
    <label>
      Reason (recorded in the audit log)
      <input name="reason" required autofocus maxLength={500} autocomplete="off" />
    </label>
  )
}

export function PauseButton({ handler }: { readonly handler: string }) {
  const [isAsking, setAsking] = useState(false)
  const pause = async (form: FormData) => {
    await call('POST handlers/{handler}/pause', {
      path: { handler },
      body: { reason: String(form.get('reason')) },
    })
    refresh(...REFRESHED)
    say(`${handler} is paused. Its runs are queued.`)
  }
  return (
    <>
      <Button onClick={() => setAsking(true)}>Pause {handler}</Button>
      {isAsking && (
        <Confirm title={`Pause ${handler}`} button="Pause" onConfirm={pause} onClose={() => setAsking(false)}>
          <p>No runs start until you resume it. Events are still recorded and applied; nothing is lost.</p>
          <Reason />
        </Confirm>
      )}
    </>
  )
}

export function ResumeButton({ handler }: { readonly handler: string }) {
  const resume = async () => {
    await call('POST handlers/{handler}/resume', { path: { handler } })
    refresh(...REFRESHED)
    say(`${handler} is running again.`)
  }
  return <Button onClick={resume}>Resume {handler}</Button>
}
