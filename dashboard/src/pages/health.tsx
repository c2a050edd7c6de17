/** The doctor, in the browser: the same checks as `clerk-sync doctor`. */

import { useAnswer } from '../answers.ts'
import type { Check } from '../api.ts'
import { count } from '../format.ts'
import { Button } from '../parts/button.tsx'
import { copy } from '../parts/copy.tsx'
import { CHECKS, Mark } from '../parts/mark.tsx'
import { Shown } from '../parts/notice.tsx'
import { Ago } from '../parts/time.tsx'

export function HealthPage() {
  const answer = useAnswer('GET health', {})
  return (
    <>
      <header class="page-head">
        <h1>Health</h1>
        <div class="actions">
          <Button kind="main" onClick={answer.refresh}>
            Run checks
          </Button>
        </div>
      </header>
      <Shown answer={answer}>
        {({ at, checks }) => (
          <>
            <p class="resource-state" role="status">
              {summaryOf(checks)} Checked <Ago at={at} />.{' '}
              <Button kind="bare" onClick={() => copy(reportOf(checks), 'the report')}>
                Copy report
              </Button>
            </p>
            {groupsOf(checks).map(([group, members]) => (
              <section key={group} class="card checks" aria-labelledby={`checks-${group}`}>
                <h2 id={`checks-${group}`}>{group}</h2>
                <ul>
                  {members.map((check) => (
                    <CheckItem key={check.name} check={check} />
                  ))}
                </ul>
              </section>
            ))}
          </>
        )}
      </Shown>
    </>
  )
}

function CheckItem({ check }: { readonly check: Check }) {
  return (
    <li class="check-item">
      <Mark {...CHECKS[check.status]} />
      <div>
        <p>
          <b>{check.name}</b> {check.message}
        </p>
        {check.detail && <p class="quiet">{check.detail}</p>}
        {check.remedy && check.status !== 'pass' && (
          <p>
            <b>What to do:</b> {check.remedy} {check.code && <code class="quiet">{check.code}</code>}
          </p>
        )}
      </div>
    </li>
  )
}

function groupsOf(checks: readonly Check[]): readonly (readonly [string, readonly Check[]])[] {
  return [...Map.groupBy(checks, ({ group }) => group)]
}

function summaryOf(checks: readonly Check[]): string {
  const amount = (status: Check['status']) => checks.filter((check) => check.status === status).length
  if (amount('fail') > 0) return `${count(amount('fail'), 'check failed', 'checks failed')}.`
  if (amount('warn') > 0) return `No check failed; ${count(amount('warn'), 'warning')}.`
  return `${count(amount('pass'), 'check')} passed.`
}

function reportOf(checks: readonly Check[]): string {
  return checks.map(({ status, name, message }) => `${status.padEnd(4)}  ${name}: ${message}`).join('\n')
}
