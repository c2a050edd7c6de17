/** Everything that takes longer than a request: backfills, comparisons, replays, retries. */

import type { JobSummary } from '../api.ts'
import { number, quantity } from '../format.ts'
import { pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { JOBS, Mark } from '../parts/mark.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Progress } from '../parts/progress.tsx'
import { Ago } from '../parts/time.tsx'
import { useRowKeys } from '../rows.ts'
import { has } from '../session.ts'
import { NewJobButton } from './new-job.tsx'
import { usePages } from './use-pages.ts'

const JOBS_MS = 3_000

export function JobsPage() {
  const pages = usePages('GET jobs', {}, ({ id }) => id, { everyMs: JOBS_MS })
  useRowKeys()
  return (
    <>
      <header class="page-head">
        <h1>Jobs</h1>
        <div class="actions">
          <NewJobButton kind="backfill" text="Start a backfill" isMain />
          <NewJobButton kind="reconcile" text="Compare with Clerk" />
        </div>
      </header>
      <Shown answer={pages.first}>
        {() => (pages.items.length === 0 ? <NoJobs /> : <JobRows jobs={pages.items} />)}
      </Shown>
      {pages.more && (
        <p class="more">
          <Button onClick={pages.more}>Older jobs</Button>
        </p>
      )}
    </>
  )
}

function NoJobs() {
  return (
    <Notice icon="jobs" title="No jobs yet.">
      {!has('clerkApi') && (
        <p>
          Set <code>CLERK_SECRET_KEY</code> to start backfills and comparisons with Clerk here.
        </p>
      )}
    </Notice>
  )
}

function JobRows({ jobs }: { readonly jobs: readonly JobSummary[] }) {
  return (
    <table class="table rows jobs">
      <caption class="sr">Jobs, newest first</caption>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Job</th>
          <th scope="col">Progress</th>
          <th scope="col">Started</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id}>
            <td class="what">
              <Mark {...JOBS[job.state]} />
            </td>
            <td class="type">
              <a href={pathOf('jobs', job.id)} data-row>
                {job.title}
              </a>
            </td>
            <td class="about">
              {job.finishedAt === null && <Progress done={job.done} total={job.total} label={job.title} />}
              <span class="number">
                {number(job.done)} / {quantity(job.total)}
              </span>
            </td>
            <td class="when">
              <Ago at={job.startedAt} />
            </td>
            <td class="next">{job.startedBy ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
