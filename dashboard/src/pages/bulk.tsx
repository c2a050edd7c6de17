/** A bulk action: counted first, limited to the counted range and a rate, run as a job. */

import { useEffect, useState } from 'preact/hooks'
import { refresh } from '../answers.ts'
import type { BulkCount, BulkTarget, NewJob, Problem } from '../api.ts'
import { call, problemOf } from '../api.ts'
import { countOf, number, time } from '../format.ts'
import { go, pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { ProblemNotice } from '../parts/notice.tsx'
import { Reason } from './handler-actions.tsx'

interface BulkProps {
  readonly target: BulkTarget
  readonly text: string
  readonly isMain?: boolean
}

export function BulkButton({ target, text, isMain = false }: BulkProps) {
  const [isAsking, setAsking] = useState(false)
  return (
    <>
      <Button kind={isMain ? 'main' : 'plain'} onClick={() => setAsking(true)}>
        {text}
      </Button>
      {isAsking && <BulkDialog target={target} onClose={() => setAsking(false)} />}
    </>
  )
}

const WORDS = { replay: 'Replay', retry: 'Retry', discard: 'Discard' } as const
const DEFAULT_RATE = 20

function BulkDialog({ target, onClose }: { readonly target: BulkTarget; readonly onClose: () => void }) {
  const [counted, problem] = useCount(target)
  const { kind } = target
  const start = async (form: FormData) => {
    if (!counted) return
    const job = await call('POST jobs', { body: jobOf(target, counted, form) })
    refresh('jobs', 'overview', 'failures', 'events')
    go(pathOf('jobs', job.id))
  }
  const amount = counted?.count.value ?? 0
  return (
    <Confirm
      title={
        counted
          ? `${WORDS[kind]} ${countOf(counted.count, kind === 'replay' ? 'event' : 'run')}`
          : WORDS[kind]
      }
      button={`${WORDS[kind]} ${counted ? number(counted.count.value) : ''}`}
      isDangerous={kind === 'discard'}
      isReady={amount > 0}
      onConfirm={start}
      onClose={onClose}
    >
      {problem && <ProblemNotice problem={problem} />}
      {!problem && !counted && <p role="status">Counting…</p>}
      {counted && <Sentence target={target} counted={counted} />}
      {counted && amount > 0 && kind !== 'discard' && <Pace />}
      {counted && amount > 0 && kind === 'discard' && <Reason />}
    </Confirm>
  )
}

function useCount(target: BulkTarget): [BulkCount | undefined, Problem | undefined] {
  const [counted, setCounted] = useState<BulkCount>()
  const [problem, setProblem] = useState<Problem>()
  // Counted once, when the dialog opens: the range is frozen then
  useEffect(() => {
    call('POST jobs/count', { body: target }).then(setCounted, (error) => setProblem(problemOf(error)))
  }, [])
  return [counted, problem]
}

function jobOf(target: BulkTarget, counted: BulkCount, form: FormData): NewJob {
  const amount = (name: string) => {
    const value = Number(form.get(name))
    return value > 0 ? value : undefined
  }
  const [perSecond, stopAfterFailures] = [amount('perSecond'), amount('stopAfterFailures')]
  const reason = form.get('reason')
  return {
    ...target,
    until: counted.until,
    expected: counted.count.value ?? 0,
    ...(perSecond !== undefined && { perSecond }),
    ...(stopAfterFailures !== undefined && { stopAfterFailures }),
    ...(reason !== null && { reason: String(reason) }),
  }
}

function Sentence({ target, counted }: { readonly target: BulkTarget; readonly counted: BulkCount }) {
  const { firstAt, lastAt } = counted
  const range = firstAt && lastAt ? ` (${time(firstAt)}–${time(lastAt)})` : ''
  if (counted.count.value === 0) return <p>Nothing to do: none match any more.</p>
  if (target.kind === 'replay')
    return (
      <p>
        {countOf(counted.count, 'event')}
        {range} will be applied again, oldest first. Newer rows are kept. Events that arrive from now on are
        not included.
      </p>
    )
  const runs = countOf(counted.count, 'event')
  if (target.kind === 'discard')
    return (
      <p>
        The runs of handler <b>{target.filter.handler}</b> for {runs}
        {range} will not be retried and no longer count as failures. Rows do not change.
      </p>
    )
  return (
    <>
      <p>
        Handler <b>{target.filter.handler}</b> will run again for {runs}
        {range}, oldest first. Rows do not change. Each run gets the same event id as before.
      </p>
      {counted.secretsForgotten.value !== 0 && <Forgotten counted={counted} />}
    </>
  )
}

/** Warns that a retry cannot restore deleted secrets. */
function Forgotten({ counted }: { readonly counted: BulkCount }) {
  return (
    <p>
      <b>{countOf(counted.secretsForgotten, 'event')}</b> no longer have their codes and links: the handler
      sees <code>[redacted]</code> instead. For email.created and sms.created it is not called unless it
      accepts that.
    </p>
  )
}

function Pace() {
  return (
    <div class="form-row">
      <label>
        Maximum per second
        <input
          name="perSecond"
          type="number"
          inputMode="numeric"
          min="1"
          max="1000"
          defaultValue={String(DEFAULT_RATE)}
          required
        />
      </label>
      <label>
        Stop after consecutive failures
        <input
          name="stopAfterFailures"
          type="number"
          inputMode="numeric"
          min="1"
          max="1000"
          defaultValue="5"
          placeholder="never"
        />
      </label>
    </div>
  )
}
