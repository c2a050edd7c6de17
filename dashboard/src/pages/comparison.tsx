/** Our row beside Clerk's current one. */

import { useState } from 'preact/hooks'
import type { Comparison } from '../api.ts'
import { count } from '../format.ts'
import { Button } from '../parts/button.tsx'
import { Compared } from '../parts/fields.tsx'
import { Mark, type Verdict } from '../parts/mark.tsx'
import { Ago } from '../parts/time.tsx'

export const RESULTS: Readonly<Record<Comparison['result'], Verdict>> = {
  same: { icon: 'check', tone: 'good', word: 'same as in Clerk' },
  different: { icon: 'warning', tone: 'warning', word: 'different from Clerk' },
  missing_here: { icon: 'warning', tone: 'warning', word: 'in Clerk but not here' },
  missing_in_clerk: { icon: 'warning', tone: 'warning', word: 'here but not in Clerk' },
  deleted: { icon: 'check', tone: 'good', word: 'deleted on both sides' },
  unavailable: { icon: 'cross', tone: 'quiet', word: 'cannot be compared' },
}

/** What applying Clerk's version would change. */
const REPAIRABLE: readonly Comparison['result'][] = ['different', 'missing_here', 'missing_in_clerk']

interface ComparisonProps {
  readonly comparison: Comparison
  readonly applyButton: preact.JSX.Element
}

export function ComparisonView({ comparison, applyButton }: ComparisonProps) {
  const [showsEqual, setShowsEqual] = useState(false)
  const different = comparison.fields.filter(({ isEqual }) => !isEqual)
  const equal = comparison.fields.length - different.length
  const verdict = RESULTS[comparison.result]
  const word =
    comparison.result === 'different'
      ? `${count(different.length, 'field')} differ${different.length === 1 ? 's' : ''} from Clerk`
      : verdict.word
  return (
    <section class="card comparison" aria-live="polite" aria-label="Compared with Clerk">
      <header class="card-head">
        <h2>
          <Mark {...verdict} word={word} />
        </h2>
        <span class="quiet">
          checked <Ago at={comparison.at} />
        </span>
        {REPAIRABLE.includes(comparison.result) && applyButton}
      </header>
      {comparison.problem && (
        <p>
          {comparison.problem.message} {comparison.problem.remedy}
        </p>
      )}
      {comparison.cause && <p>Likely cause: {comparison.cause}</p>}
      {comparison.fields.length > 0 && <Compared fields={showsEqual ? comparison.fields : different} />}
      {equal > 0 && (
        <Button kind="bare" onClick={() => setShowsEqual(!showsEqual)}>
          {showsEqual ? 'Hide' : 'Show'} {count(equal, 'matching field')}
        </Button>
      )}
    </section>
  )
}
