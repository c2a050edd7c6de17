/** Requests that were not valid deliveries: the cause and the fix. They changed nothing. */

import { useAnswer } from '../answers.ts'
import type { RejectedGroup, RejectedRequest, RejectedSample } from '../api.ts'
import { bytes, count } from '../format.ts'
import { Pairs } from '../parts/fields.tsx'
import { Mark } from '../parts/mark.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Ago } from '../parts/time.tsx'

const REJECTED_MS = 10_000

export function RejectedPage() {
  const answer = useAnswer('GET rejected', {}, REJECTED_MS)
  return (
    <>
      <header class="page-head">
        <h1>Rejected</h1>
        <span class="page-count">requests that were not valid deliveries, last 7 days</span>
      </header>
      <Shown answer={answer}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Notice icon="check" tone="good" title="No rejected requests." />
          ) : (
            groups.map((group) => <Group key={group.code} group={group} />)
          )
        }
      </Shown>
    </>
  )
}

function Group({ group }: { readonly group: RejectedGroup }) {
  return (
    <section class="card rejected" id={group.code} tabIndex={-1} aria-labelledby={`${group.code}-title`}>
      <header class="card-head">
        <h2 id={`${group.code}-title`}>
          <Mark icon="rejected" tone="warning" word={group.summary} />
        </h2>
        <b class="number">{count(group.count, 'request')}</b>
        <span class="quiet">
          first <Ago at={group.firstAt} /> · last <Ago at={group.lastAt} />
        </span>
      </header>
      <p>
        <b>What to do:</b> {group.remedy}
      </p>
      <p class="quiet">
        <code>{group.code}</code>
      </p>
      {group.samples.length > 0 && (
        <details>
          <summary>Latest requests</summary>
          <ul class="samples">
            {group.samples.map((sample, index) => (
              // Two rejections of one moment look the same.
              <li key={index}>
                <Sample sample={sample} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

function Sample({ sample }: { readonly sample: RejectedSample }) {
  const { at, status, message, request } = sample
  return (
    <details>
      <summary>
        <Ago at={at} /> <span class="quiet">answered {status}</span> {message}
      </summary>
      {request ? <Request request={request} /> : <p class="quiet">No details of this request were kept.</p>}
    </details>
  )
}

function Request({ request }: { readonly request: RejectedRequest }) {
  const { headers, bytes: size, source, body, mismatchCause } = request
  return (
    <>
      <Pairs
        of={[
          ['Likely cause', mismatchCause ? `${mismatchCause.summary}. ${mismatchCause.remedy}` : 'none'],
          ['Source address', source ?? 'unknown'],
          ['Size', size === null ? 'unknown' : bytes(size)],
        ]}
      />
      <h3>Headers</h3>
      <Pairs of={Object.entries(headers)} />
      <h3>Body</h3>
      {body === null ? (
        <p class="quiet">Rejected before the body was read.</p>
      ) : (
        <>
          <p class="quiet">The first 500 characters; personal data is masked.</p>
          <pre class="body-beginning">{body}</pre>
        </>
      )}
    </>
  )
}
