/** Starts a job on Clerk's lists: a backfill, or a comparison of the tables with Clerk. */

import { useState } from 'preact/hooks'
import { refresh } from '../answers.ts'
import { call } from '../api.ts'
import { go, pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { has, may } from '../session.ts'

interface NewJobProps {
  readonly kind: 'backfill' | 'reconcile'
  readonly text: string
  readonly isMain?: boolean
  /** Absent: all tables. */
  readonly resource?: string
}

const TEXTS = {
  backfill: {
    title: 'Start a backfill',
    what: "Imports Clerk's data: writes rows that are missing or older here and keeps newer ones. You can stop it at any time; it resumes where it stopped.",
    dryRun: 'Dry run: only count the rows it would write',
  },
  reconcile: {
    title: 'Compare with Clerk',
    what: "Compares every row with Clerk's data and repairs differences under the same rule as events.",
    dryRun: 'Only compare; repair nothing',
  },
} as const

export function NewJobButton({ kind, text, isMain = false, resource }: NewJobProps) {
  const [isAsking, setAsking] = useState(false)
  if (!may('operator') || !has('clerkApi')) return null
  const start = async (form: FormData) => {
    const body = {
      kind,
      dryRun: form.has('dryRun'),
      ...(resource !== undefined && { resources: [resource] }),
    }
    const job = await call('POST jobs', { body })
    refresh('jobs', 'overview')
    go(pathOf('jobs', job.id))
  }
  return (
    <>
      <Button kind={isMain ? 'main' : 'plain'} onClick={() => setAsking(true)}>
        {text}
      </Button>
      {isAsking && (
        <Confirm title={TEXTS[kind].title} button="Start" onConfirm={start} onClose={() => setAsking(false)}>
          <p>{TEXTS[kind].what}</p>
          <label class="check">
            <input type="checkbox" name="dryRun" defaultChecked={kind === 'reconcile'} /> {TEXTS[kind].dryRun}
          </label>
        </Confirm>
      )}
    </>
  )
}
