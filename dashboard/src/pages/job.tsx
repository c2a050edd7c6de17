/** One job. All of it is read from the job's row, so a reload or a deploy loses nothing. */

import { refresh, useAnswer } from '../answers.ts'
import type { JobDetail, JobLine } from '../api.ts'
import { call } from '../api.ts'
import { duration, number, title, words } from '../format.ts'
import { go, pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { Id } from '../parts/copy.tsx'
import { Pairs } from '../parts/fields.tsx'
import { Json } from '../parts/json.tsx'
import { JOBS, LINES, Mark } from '../parts/mark.tsx'
import { Shown } from '../parts/notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { Ago, At } from '../parts/time.tsx'
import { say } from '../parts/toast.tsx'
import { may } from '../session.ts'

const JOB_MS = 1_500

export function JobPage({ id }: { readonly id: string }) {
  const answer = useAnswer('GET jobs/{id}', { path: { id } }, JOB_MS)
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="jobs">Jobs</a>
      </nav>
      <Shown answer={answer}>{(job) => <Job job={job} />}</Shown>
    </>
  )
}

function Job({ job }: { readonly job: JobDetail }) {
  return (
    <article class="job">
      <header class="page-head">
        <h1>{job.title}</h1>
        <span role="status">
          <Mark {...JOBS[job.state]} />
        </span>
        <JobActions job={job} />
      </header>
      <p class="resource-state">
        {title(job.kind)} · started <Ago at={job.startedAt} />
        {job.startedBy && ` by ${job.startedBy}`}
        {job.finishedAt && ` · took ${duration(Date.parse(job.finishedAt) - Date.parse(job.startedAt))}`}
      </p>
      {job.error && <pre class="error">{job.error}</pre>}
      <Lines job={job} />
      <Totals job={job} />
      <Id id={job.id} />
      <details class="report">
        <summary>Request and report</summary>
        <Json text={JSON.stringify({ scope: job.scope, report: job.report })} name={job.id} />
      </details>
    </article>
  )
}

function JobActions({ job }: { readonly job: JobDetail }) {
  const does = (what: 'pause' | 'resume' | 'abort') => async () => {
    const { id } = await call(`POST jobs/{id}/${what}`, { path: { id: job.id } })
    refresh('jobs', 'overview')
    say(`Asked the job to ${what}.`)
    // Another job may continue it.
    if (id !== job.id) go(pathOf('jobs', id))
  }
  const isPaused = job.state === 'paused'
  return (
    <div class="actions">
      {job.canPause && may('operator') && !isPaused && <Button onClick={does('pause')}>Pause</Button>}
      {isPaused && may('operator') && (
        <Button kind="main" onClick={does('resume')}>
          Resume
        </Button>
      )}
      {job.canAbort && may('admin') && (
        <Button kind="danger" onClick={does('abort')}>
          Abort
        </Button>
      )}
    </div>
  )
}

function Lines({ job }: { readonly job: JobDetail }) {
  return (
    <table class="table job-lines">
      <caption class="sr">Progress</caption>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Progress</th>
          <th scope="col" class="number">
            Done
          </th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {job.lines.map((line) => (
          <Line key={line.name} line={line} />
        ))}
      </tbody>
    </table>
  )
}

function Line({ line }: { readonly line: JobLine }) {
  const total = { value: line.total, isEstimate: false, isAtLeast: false }
  // A job without work is complete.
  const isAll = line.state === 'done' && !line.total
  const isStill = line.state === 'waiting' || line.state === 'disabled'
  return (
    <tr>
      <th scope="row">{title(line.name)}</th>
      <td class="bar">
        {!isStill && (
          <Progress
            done={isAll ? 1 : line.done}
            total={isAll ? { ...total, value: 1 } : total}
            label={words(line.name)}
          />
        )}
      </td>
      <td class="number">
        {isStill ? '–' : number(line.done)}
        {line.total !== null && ` / ${number(line.total)}`}
      </td>
      <td>
        <Mark {...LINES[line.state]} />
        {line.failed > 0 && <span class="bad"> {number(line.failed)} failed</span>}
      </td>
    </tr>
  )
}

function Totals({ job }: { readonly job: JobDetail }) {
  const counts = Object.entries(job.counts).map(([name, value]) => [title(name), number(value)] as const)
  return (
    <div class="card job-totals">
      <Pairs
        of={[
          ...counts,
          ['Rate', job.rate === null ? '–' : `${number(Math.round(job.rate))} per second`],
          ['Left', job.etaSeconds === null ? '–' : `about ${duration(job.etaSeconds * 1_000)}`],
          ['Last heartbeat', <At key="at" at={job.updatedAt} />],
        ]}
      />
      {job.finishedAt === null && (
        <p class="quiet">You can close this page or restart the server; the job continues.</p>
      )}
    </div>
  )
}
