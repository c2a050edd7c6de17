/** Recent deliveries and their outcomes. */

import { type RawBuilder, sql } from 'kysely'
import type { Config } from '../config.ts'
import { countOf } from '../count-of.ts'
import { MAX_HISTORY } from '../handlers/run.ts'
import type { ClerkSync } from '../index.ts'
import { readHookFailure } from '../inspect/alert-hook.ts'
import { read } from '../inspect/reading.ts'
import { detailOf } from '../inspect/refusals.ts'
import { type Check, type Fix, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

const DAY_MS = 86_400_000
/** Quieter apps than one event a week are rare, and Svix gives an endpoint up after five failing days. */
const SILENT_DAYS = 7
/** Below this, one resend by hand would be most of the traffic. */
const MIN_EVENTS = 5
/** Near the 15 seconds in which a route would have to answer. */
const SLOW_SECONDS = 10
/** Instances that one line names. */
const MAX_NAMED = 3
const MAX_LOOKED_AT = 10_000

export function trafficChecks(examined: ExaminedDatabase, { instanceIds }: Config): Check[] {
  const check = examined.checksIn('traffic')
  return [
    check('events', checkEvents),
    check('instances', (sync) => checkInstances(sync, instanceIds)),
    check('refusals', checkRefusals),
    check('handlers', checkHandlers),
    check('drift', checkDrift),
    check('alert hook', checkAlertHook),
  ]
}

interface Counts {
  readonly last_at: Date | null
  readonly events: number
  readonly redelivered: number
  readonly redeliveries: number
  readonly conflicts: number
  readonly failed: number
  readonly parked: number
  readonly foreign: number
}

async function checkEvents(sync: ClerkSync): Promise<Result[]> {
  const counts = await countEvents(sync)
  const last = counts.last_at
  if (last === null) return [found('no_events')]
  const days = Math.floor((Date.now() - last.getTime()) / DAY_MS)
  const { events, redelivered, redeliveries, conflicts, failed, parked, foreign } = counts
  return [
    days >= SILENT_DAYS
      ? found('no_recent_events', `the last event is ${days} days old`)
      : passed(
          `${countOf(events, 'event')} in the last ${SILENT_DAYS} days, the last one at ${last.toISOString()}.`,
        ),
    events >= MIN_EVENTS && redelivered > events / 2
      ? found('delivered_twice', `${redelivered} of ${events}`)
      : passed(`${redeliveries} redeliveries, none applied twice.`),
    ...(conflicts > 0 ? [found('bodies_conflict', String(conflicts))] : []),
    ...(failed > 0 ? [{ ...found('events_failed', String(failed)), fix: APPLY_FAILED }] : []),
    ...(parked > 0 ? [found('events_parked', String(parked))] : []),
    ...(foreign > 0 ? [found('events_of_other_instance', await describeForeign(sync, foreign))] : []),
  ]
}

async function describeForeign({ database }: ClerkSync, count: number): Promise<string> {
  const names = await instancesOf(database, sql`reason = 'instance_mismatch'`)
  return names.length === 0 ? String(count) : `${count} of ${names.slice(0, MAX_NAMED).join(', ')}`
}

/** The instances of the latest events: no index has them. */
async function instancesOf(
  database: ClerkSync['database'],
  condition: RawBuilder<unknown>,
): Promise<readonly string[]> {
  const latest = database
    .selectFrom('events')
    .where('received_at', '>', new Date(Date.now() - SILENT_DAYS * DAY_MS))
    .select(['instance_id', 'outcome', 'reason'])
    .orderBy('received_at', 'desc')
    .limit(MAX_LOOKED_AT)
  const rows = await database
    .selectFrom(latest.as('latest'))
    .where(sql<boolean>`${condition} and instance_id is not null`)
    .select(sql<string>`instance_id`.as('instance'))
    .distinct()
    .orderBy('instance')
    .execute()
  return rows.map(({ instance }) => instance)
}

const APPLY_FAILED: Fix = {
  what: 'Replay the failed events',
  apply: (sync) => sync.replay({ outcomes: ['failed'] }),
}

/** Of the last days, so that a ledger of years costs no more than a young one. */
async function countEvents({ database }: ClerkSync): Promise<Counts> {
  const { last_at } = await database
    .selectFrom('events')
    .select((eb) => eb.fn.max('received_at').as('last_at'))
    .executeTakeFirstOrThrow()
  const count = (condition: ReturnType<typeof sql<boolean>>) =>
    sql<number>`count(*) filter (where ${condition})::int`
  const counts = await database
    .selectFrom('events')
    .where('received_at', '>', new Date(Date.now() - SILENT_DAYS * DAY_MS))
    .where('source', '=', 'webhook')
    .select([
      sql<number>`count(*)::int`.as('events'),
      count(sql`deliveries > 1`).as('redelivered'),
      sql<number>`coalesce(sum(deliveries - 1), 0)::int`.as('redeliveries'),
      count(sql`body_conflict`).as('conflicts'),
      count(sql`outcome = 'failed'`).as('failed'),
      count(sql`outcome = 'parked' and reason is distinct from 'instance_mismatch'`).as('parked'),
      count(sql`reason = 'instance_mismatch'`).as('foreign'),
    ])
    .executeTakeFirstOrThrow()
  return { last_at, ...counts }
}

/** Two apps, or development and production, that share a schema without meaning to. */
async function checkInstances({ database }: ClerkSync, accepted: ReadonlySet<string>): Promise<Result[]> {
  const applied = await instancesOf(database, sql`outcome in ('applied', 'stale')`)
  if (accepted.size === 0) return applied.length > 1 ? [found('instances_mixed', applied.join(' and '))] : []
  const foreign = applied.filter((instance) => !accepted.has(instance))
  if (foreign.length === 0) return []
  return [
    found('instances_mixed', `${foreign.join(' and ')}, this process is of ${[...accepted].join(' and ')}`),
  ]
}

async function checkRefusals({ database }: ClerkSync): Promise<Result[]> {
  const refusals = await database
    .selectFrom('refusals')
    .where('minute', '>', new Date(Date.now() - DAY_MS))
    .select([
      'code',
      sql<number>`sum(requests)::int`.as('requests'),
      sql<string>`(array_agg(message order by last_at desc))[1]`.as('message'),
    ])
    .groupBy('code')
    .orderBy('code')
    .execute()
  return refusals.map(({ code, requests, message }) => {
    if (code === 'secret_of_other_instance')
      return found('instances_crossed', `${detailOf(message)}, ${requests} in the last 24 hours`)
    const fact = `${requests} with ${code} in the last 24 hours`
    return found('deliveries_refused', fact, `\`clerk-sync explain ${code}\` explains it.`)
  })
}

async function checkHandlers({ database }: ClerkSync): Promise<Result[]> {
  const handlers = await database
    .selectFrom('handler_runs')
    .where('created_at', '>', new Date(Date.now() - SILENT_DAYS * DAY_MS))
    .select([
      'handler',
      sql<number>`count(*) filter (where status = 'dead')::int`.as('dead'),
      // A failed try is in the history; one whose process was lost is nowhere but in the count.
      sql<number>`count(*) filter (where status = 'succeeded'
        and coalesce(json_array_length(history), 0) < least(attempts - 1, ${MAX_HISTORY}))::int`.as('twice'),
      sql<
        number | null
      >`percentile_cont(0.95) within group (order by extract(epoch from finished_at - started_at))
        filter (where status = 'succeeded')`.as('seconds'),
    ])
    .groupBy('handler')
    .orderBy('handler')
    .execute()
  return handlers.flatMap(({ handler, dead, twice, seconds }) => [
    ...(dead > 0 ? [{ ...found('runs_dead', `${dead} of ${handler}`), fix: retryDead(handler) }] : []),
    ...(twice > 0 ? [found('handled_twice', `${twice} of ${handler}`)] : []),
    ...(Number(seconds) > SLOW_SECONDS
      ? [
          found(
            'handler_slow',
            `5% of the runs of ${handler} take ${Number(seconds).toFixed(1)} seconds or more`,
          ),
        ]
      : []),
  ])
}

function retryDead(handler: string): Fix {
  const filter = { handlers: [handler], statuses: ['dead'] as const }
  return {
    what: `Retry the dead runs of ${handler}`,
    apply: (sync) => sync.handlers.retry(filter, { note: 'doctor --fix' }),
  }
}

interface LastReconcile {
  readonly finished_at: Date
  readonly is_dry_run: boolean
  readonly total: number
  readonly without_event: number
}

/** What the last comparison of everything with Clerk has found. */
async function checkDrift({ database, location }: ClerkSync): Promise<Result[]> {
  const { rows } = await sql<LastReconcile>`
    select finished_at, scope->>'dryRun' = 'true' as is_dry_run, (report->>'total')::int as total,
      (select coalesce(sum((counts.value->'causes'->>'no_event')::int), 0)::int
        from jsonb_each(report->'resources') as counts) as without_event
    from ${sql.id(location.schema, 'jobs')} where kind = 'reconcile' and status = 'complete' and report is not null
    order by created_at desc limit 1`.execute(database)
  return rows.map(toDrift)
}

function toDrift({ finished_at, is_dry_run, total, without_event }: LastReconcile): Result {
  const at = finished_at.toISOString()
  if (total === 0) return passed(`No row differed from Clerk at ${at}.`)
  const unheard = without_event > 0 ? `, ${without_event} of them without an event` : ''
  if (!is_dry_run) return found('drift', `${total} were repaired at ${at}${unheard}`, LOOK_FOR_CAUSE)
  const fix = { what: 'Repair the rows that differ from Clerk', apply: repair }
  return { ...found('drift', `${total} at ${at}, not repaired${unheard}`), fix }
}

/** Of a row that was edited by hand, only a full look finds out. */
const repair = (sync: ClerkSync) => sync.reconcile({ full: true })

const LOOK_FOR_CAUSE =
  'The rows are repaired. If no event arrived for them, check that the endpoint sends all event types: with CLERK_SECRET_KEY, `clerk-sync doctor` names the missing ones.'

async function checkAlertHook({ database, location }: ClerkSync): Promise<Result[]> {
  const failure = await read({ database, schema: location.schema }, readHookFailure)
  return failure ? [found('alert_hook_failing', `${failure.alert} at ${failure.at}: ${failure.failure}`)] : []
}
