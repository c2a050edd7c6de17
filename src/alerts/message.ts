/** What the alert hook is sent. */

import type { TroubleName } from './troubles.ts'

export type AlertFormat = 'slack' | 'json'

/** The body of a message in the format `json`. */
export interface AlertMessage {
  readonly alert: TroubleName
  readonly state: 'begin' | 'end'
  /** In numbers and names of handlers; never what an event says. */
  readonly summary: string
  readonly since: string
  /** Null as long as it lasts. */
  readonly until: string | null
  /** The schema of the tables: which of several syncs it is. */
  readonly schema: string
  /** What to do. */
  readonly runbook: string
}

const RUNBOOKS = 'https://github.com/clerk-sync/clerk-sync/blob/main/docs/runbooks'
const PAGES: Readonly<Record<TroubleName, string>> = {
  dead_runs: 'dead-runs',
  no_worker: 'no-worker',
  no_events: 'no-events',
  failed_events: 'failed-events',
  drift: 'drift',
  refused_requests: 'refusals',
}

export function runbookOf(name: TroubleName): string {
  return `${RUNBOOKS}/${PAGES[name]}.md`
}

export function bodyOf(message: AlertMessage, format: AlertFormat): string {
  return JSON.stringify(format === 'json' ? message : { text: slackText(message) })
}

/** https://api.slack.com/reference/surfaces/formatting */
function slackText({ state, summary, since, until, schema, runbook }: AlertMessage): string {
  const text = escapeText(summary)
  if (state === 'end')
    return `:white_check_mark: clerk-sync (${escapeText(schema)}): over since ${until}: ${text}`
  return `:warning: clerk-sync (${escapeText(schema)}): ${text}, since ${since}. <${runbook}|What to do>`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
