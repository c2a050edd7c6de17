/** Placeholders: while loading, when there is nothing to show, and after an error. */

import type { ComponentChildren } from 'preact'
import type { Answer } from '../answers.ts'
import type { Problem } from '../api.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

interface NoticeProps {
  readonly icon: IconName
  readonly title: string
  readonly tone?: 'good' | 'bad' | 'quiet'
  readonly children?: ComponentChildren
}

export function Notice({ icon, title, tone = 'quiet', children }: NoticeProps) {
  return (
    <div class={`notice ${tone}`}>
      <Icon name={icon} />
      <p class="notice-title">{title}</p>
      {children}
    </div>
  )
}

export function ProblemNotice({
  problem,
  retry,
}: {
  readonly problem: Problem
  readonly retry?: () => unknown
}) {
  return (
    <div role="alert">
      <Notice icon="warning" tone="bad" title={problem.message}>
        <p>{problem.remedy}</p>
        <p class="quiet">
          <code>{problem.code}</code>
        </p>
        {retry && <Button onClick={() => void retry()}>Try again</Button>}
      </Notice>
    </div>
  )
}

/** The error of the last action, beside its button. */
export function ProblemLine({ problem }: { readonly problem: Problem | undefined }) {
  if (!problem) return null
  return (
    <p class="banner bad" role="alert">
      <Icon name="warning" />
      <span>
        {problem.message} {problem.remedy}
      </span>
    </p>
  )
}

/** Marks a visible answer as old, with the reason. */
function Old({ problem }: { readonly problem: Problem | undefined }) {
  if (!problem) return null
  return (
    <p class="banner warning" role="status">
      <Icon name="warning" />
      <span>
        {problem.message} {problem.remedy} Showing the last known data.
      </span>
    </p>
  )
}

/** A placeholder without animation: nothing flickers when an answer takes 30 ms. */
export function Loading({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="loading-row" />
      ))}
    </div>
  )
}

interface ShownProps<Value> {
  readonly answer: Answer<Value> & { readonly refresh: () => Promise<void> }
  readonly rows?: number
  readonly children: (value: Value) => ComponentChildren
}

/** An answer in whatever state it is. */
export function Shown<Value>({ answer, rows, children }: ShownProps<Value>) {
  if (answer.value === undefined && answer.problem)
    return <ProblemNotice problem={answer.problem} retry={answer.refresh} />
  if (answer.value === undefined) return rows === undefined ? <Loading /> : <Loading rows={rows} />
  return (
    <>
      <Old problem={answer.problem} />
      {children(answer.value)}
    </>
  )
}
