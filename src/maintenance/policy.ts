/** The retention options, their defaults and their limits. */

import { ClerkSyncError } from '../errors.ts'

/** How long: days as a number or as text, `'90d'`; `'forever'` or `false` keeps. */
export type Retention = number | `${number}d` | 'forever' | false

/**
 * How long each kind of data is kept. Ids of events are kept for ever, so that a late replay is still recognized as a
 * duplicate.
 */
export interface RetentionOptions {
  /**
   * The bodies of events, which replays and handlers read. Svix keeps its copy for 90 days. An event with a run that is
   * not finished (due, paused, failing or dead) keeps its body until the run ends.
   * @default '90d'
   */
  readonly eventBodies?: Retention | undefined
  /**
   * Which fields each event changed, with the values before and after: the history of a resource in the dashboard.
   * @default '365d'
   */
  readonly changes?: Retention | undefined
  /**
   * Runs of handlers that succeeded or were discarded. While a run is kept, `handlers.run` does not run its event again.
   * @default '90d'
   */
  readonly runs?: Retention | undefined
  /**
   * Runs that exhausted their retries and were neither retried nor discarded.
   * @default 'forever'
   */
  readonly deadRuns?: Retention | undefined
  /**
   * Rows of sessions that ended, counted from the last change of the row.
   * @default '90d'
   */
  readonly endedSessions?: Retention | undefined
  /**
   * Rows of e-mails and SMS messages, which hold addresses and texts.
   * @default '30d'
   */
  readonly messages?: Retention | undefined
  /**
   * Counts and messages of requests that were refused. The dashboard's page shows a week of them.
   * @default '30d'
   */
  readonly refusals?: Retention | undefined
  /**
   * Finished backfills, reconciles and bulk replays with their reports. The last of each kind stays.
   * @default '90d'
   */
  readonly jobs?: Retention | undefined
  /**
   * The audit log of the dashboard. Audits of a year happen after its end.
   * @default '400d'
   */
  readonly audit?: Retention | undefined
  /**
   * Events counted by the minute. The dashboard's charts of up to a week need 8 days.
   * @default '8d', which is the least
   */
  readonly eventMinutes?: Retention | undefined
  /**
   * The same in spans of ten minutes, for longer charts.
   * @default '200d'
   */
  readonly eventSpans?: Retention | undefined
}

export type RetentionKind = keyof RetentionOptions

/** In days; null: for ever. */
export type RetentionDays = Readonly<Record<RetentionKind, number | null>>

/** The dashboard's charts of a week are made of minutes; dragging over one may begin a day earlier. */
export const LEAST_MINUTES_DAYS = 8

const RULES: Readonly<Record<RetentionKind, { readonly days: number | null; readonly least?: number }>> = {
  eventBodies: { days: 90 },
  changes: { days: 365 },
  runs: { days: 90 },
  deadRuns: { days: null },
  endedSessions: { days: 90 },
  messages: { days: 30 },
  refusals: { days: 30 },
  jobs: { days: 90 },
  audit: { days: 400 },
  eventMinutes: { days: LEAST_MINUTES_DAYS, least: LEAST_MINUTES_DAYS },
  eventSpans: { days: 200 },
}

export const RETENTION_KINDS = Object.keys(RULES) as readonly RetentionKind[]

/** A larger number is a mistake in the unit. */
const MOST_DAYS = 36_500

/**
 * Checks and completes the options.
 * @throws {ClerkSyncError} `option_invalid`, naming the option
 */
export function resolveRetention(options: RetentionOptions = {}): RetentionDays {
  const unknown = Object.keys(options).filter((name) => !RETENTION_KINDS.includes(name as RetentionKind))
  if (unknown.length > 0) {
    const known = RETENTION_KINDS.join(', ')
    throw new ClerkSyncError('option_invalid', `retention has ${unknown.join(', ')}; there are ${known}`)
  }
  const entries = RETENTION_KINDS.map((kind) => [kind, daysOf(kind, options[kind])] as const)
  return Object.fromEntries(entries) as Record<RetentionKind, number | null>
}

function daysOf(kind: RetentionKind, value: Retention | undefined): number | null {
  const { days: standard, least = 1 } = RULES[kind]
  if (value === undefined) return standard
  if (value === false || value === 'forever') return null
  const days = typeof value === 'string' ? Number(/^(\d+)d$/.exec(value)?.[1] ?? Number.NaN) : value
  if (typeof days === 'number' && Number.isFinite(days) && days >= least && days <= MOST_DAYS) return days
  throw new ClerkSyncError(
    'option_invalid',
    `retention.${kind} must be days, at least ${least}, as a number or as '90d'; or 'forever'`,
  )
}
