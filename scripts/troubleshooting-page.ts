/** Writes docs/troubleshooting.md from the tables of codes. `npm run docs` runs it; a test fails when the page is stale. */

import { writeFileSync } from 'node:fs'
import { EXPLANATIONS, type Explanation } from '../src/explanations/catalogue.ts'

const INTRODUCTION = `# Troubleshooting

\`\`\`sh
npx clerk-sync doctor --url https://app.example.com/api/webhooks/clerk
\`\`\`

looks at the configuration, the database, the clock, the traffic and, with \`--url\`, at the route from outside, and says
what is wrong and what to do. It changes nothing; its requests to the route are recorded nowhere. It exits with 3 if there is
a problem.

\`npx clerk-sync explain CODE\` tells what this page tells. The page is generated from the same tables.

## The usual suspects

| what you see | what it mostly is | how to be sure |
|---|---|---|
| Every delivery is answered 400, \`signature_mismatch\` | the signing secret of another endpoint, or a body that was parsed first | the log names what would have fitted; \`doctor --url\` says [\`secret_differs\`](#secret_differs), [\`body_already_parsed\`](#body_already_parsed) or [\`body_rewritten\`](#body_rewritten) |
| 400, \`headers_missing\` | something strips the \`svix-\` headers, or the request is not from Clerk | [\`headers_missing\`](#headers_missing) |
| 404, but the route is there | Clerk’s middleware protects it: \`auth.protect()\` hides routes from who is not signed in | [\`route_protected\`](#route_protected) |
| 404 | the path is wrong, or the route was not deployed | [\`route_not_found\`](#route_not_found) |
| 401 or a login page | a preview deployment, a password, a challenge | [\`login_wall\`](#login_wall) |
| 307, 308 | http instead of https, a missing www, a slash too many | [\`redirected\`](#redirected) |
| Svix says it timed out | slow work inside the route | [\`route_slow\`](#route_slow) |
| Things happen twice | two endpoints, or answers that come too late | [\`delivered_twice\`](#delivered_twice); clerk-sync applies an event once all the same |
| An event arrived, but the row did not change | the event was older than the row, or parked, or the database refused it | \`clerk-sync events list --subject user_…\` and [the reasons](#reasons-why-an-event-was-not-applied) |
| Nothing arrives any more | Svix disabled the endpoint after five failing days | [\`no_recent_events\`](#no_recent_events) |

A refused request is answered with a code and a reference, \`{"error":"signature_mismatch","ref":"rej_…"}\`. Svix keeps
answers and Clerk’s dashboard shows them, so there is no more in it. The reference is in the log, beside what was found.
`

interface Section {
  readonly title: string
  readonly text: string
  readonly kinds: readonly Explanation['kind'][]
}

const SECTIONS: readonly Section[] = [
  {
    title: 'What the doctor finds',
    text: 'A problem makes `doctor` exit with 3; a warning does not, nor does what a check cannot know.',
    kinds: ['problem', 'warning', 'unclear'],
  },
  {
    title: 'What makes a signature not fit',
    text: 'After a `signature_mismatch` the log may name one of these as its `mismatchCause`.',
    kinds: ['mismatch_cause'],
  },
  {
    title: 'Reasons why an event was not applied',
    text: '`clerk-sync events list` and the column `events.reason` show them.',
    kinds: ['reason'],
  },
  {
    title: 'Errors',
    text: 'The `code` of a `ClerkSyncError`, of an answer of the webhook route, and of a command that fails.',
    kinds: ['error'],
  },
]

function renderSection({ title, text, kinds }: Section): string {
  const entries = EXPLANATIONS.filter(({ kind }) => kinds.includes(kind)).map(renderEntry)
  return `## ${title}\n\n${text}\n\n${entries.join('\n\n')}`
}

function renderEntry({ code, kind, summary, remedy, status }: Explanation): string {
  const notes = [
    ...(kind === 'warning' || kind === 'unclear' ? [kind] : []),
    ...(status === undefined ? [] : [`HTTP ${status}`]),
  ]
  const note = notes.length === 0 ? '' : ` (${notes.join(', ')})`
  return `### ${code}\n\n${summary}${note}.\n\n${remedy}`
}

/** The page as it must be. */
export function renderTroubleshootingPage(): string {
  return `${[INTRODUCTION, ...SECTIONS.map(renderSection)].join('\n\n').replace(/\n{3,}/g, '\n\n')}\n`
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/troubleshooting.md', import.meta.url), renderTroubleshootingPage())
}
