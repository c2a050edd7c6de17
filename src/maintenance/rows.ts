/** Retention by rows: which rows of a kind are past their retention, and how a batch of them is deleted. */

import { qualify } from '../database/identifier.ts'
import type { RetentionKind } from './policy.ts'

export interface RowRule {
  /** $1 rows received, ended or written before → `count` */
  readonly count: string
  /** $1 the same, $2 the most → `count` of those that were removed */
  readonly remove: string
}

/** The kinds that are forgotten row by row; the others are parts of events. */
export type RowKind = Exclude<RetentionKind, 'eventBodies' | 'changes'>

export function rowRules(schema: string): Readonly<Record<RowKind, readonly RowRule[]>> {
  const rule = (table: string, isOld: string) => toRule(qualify(schema, table), isOld)
  return {
    runs: [finishedRuns(qualify(schema, 'handler_runs'))],
    deadRuns: [
      rule(
        'handler_runs',
        `fingerprint is not null and status = 'dead' and created_at < $1::timestamptz and finished_at < $1::timestamptz`,
      ),
    ],
    // The predicate of an index: `synced_at` only, or it would read every session there is.
    endedSessions: [
      rule(
        'sessions',
        `synced_at < $1::timestamptz and (deleted_at is not null or status not in ('active', 'pending'))`,
      ),
      rule('tombstones', `resource = 'sessions' and deleted_at < $1::timestamptz`),
    ],
    messages: ['emails', 'sms_messages'].map((table) => rule(table, 'synced_at < $1::timestamptz')),
    refusals: [rule('refusals', byHours('minute'))],
    jobs: [finishedJobs(schema)],
    audit: [rule('audit_log', 'at < $1::timestamptz')],
    eventMinutes: [rule('event_minutes', byHours('minute'))],
    eventSpans: [rule('event_spans', byHours('span'))],
  }
}

/** By whole hours, so that a span is never added up from a part of its minutes. */
function byHours(column: string): string {
  return `${column} < date_trunc('hour', $1::timestamptz, 'UTC')`
}

/** Locked rows are left for the next run. */
function toRule(table: string, isOld: string): RowRule {
  return {
    count: `select count(*)::integer as count from ${table} where ${isOld}`,
    remove: `
      with gone as (
        delete from ${table} where ctid = any(array(
          select ctid from ${table} where ${isOld} limit $2 for update skip locked
        )) returning 1
      ) select count(*)::integer as count from gone`,
  }
}

/** The last of each kind stays, with what it found; a job that goes on elsewhere is not finished. */
function finishedJobs(schema: string): RowRule {
  const jobs = qualify(schema, 'jobs')
  const isOld = `status <> 'running' and finished_at < $1::timestamptz
    and exists (select from ${jobs} as later where later.kind = job.kind and later.created_at > job.created_at)`
  return {
    count: `select count(*)::integer as count from ${jobs} as job where ${isOld}`,
    remove: `
      with gone as (
        delete from ${jobs} where id in (select id from ${jobs} as job where ${isOld} order by created_at limit $2)
        returning id
      ), marks as (
        delete from ${qualify(schema, 'sweep_seen_ids')} where job_id in (select id from gone)
      ) select count(*)::integer as count from gone`,
  }
}

/**
 * From handler to handler along the index over (handler, created_at), of each no more than a batch. Every run is finished
 * after it was created, so that those created since need no look.
 */
function finishedRuns(runs: string): RowRule {
  const isOld = `run.created_at < $1::timestamptz
    and run.status in ('succeeded', 'discarded') and run.finished_at < $1::timestamptz`
  return {
    count: `select count(*)::integer as count from ${runs} as run where ${isOld}`,
    remove: `
      with recursive handlers(name) as (
        (select min(handler) from ${runs})
        union all
        select (select min(handler) from ${runs} where handler > handlers.name) from handlers where name is not null
      ), finished as (
        select old.event_id, old.handler from handlers cross join lateral (
          select run.event_id, run.handler from ${runs} as run
          where run.handler = handlers.name and ${isOld}
          order by run.created_at limit $2
        ) as old limit $2
      ), gone as (
        delete from ${runs} as run using finished
        where run.event_id = finished.event_id and run.handler = finished.handler
          and run.status in ('succeeded', 'discarded')
        returning 1
      ) select count(*)::integer as count from gone`,
  }
}
