/** Whether the handlers of the configuration are run: by an app that knows them, and by a worker that is there. */

import { type RawBuilder, sql } from 'kysely'
import { countOf } from '../count-of.ts'
import { ofTypes } from '../database/filter.ts'
import type { ClerkSync, HandlerDefinition } from '../index.ts'
import { read } from '../inspect/reading.ts'
import { describeWaitingWork } from '../inspect/status.ts'
import { readWaitingWork } from '../inspect/waiting-work.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

const DAYS = 7

export function handlerChecks(examined: ExaminedDatabase): Check[] {
  const check = examined.checksIn('traffic')
  return [check('workers', checkWorkers), check('handlers of the configuration', checkConfigured)]
}

async function checkWorkers({ database, location }: ClerkSync): Promise<Result[]> {
  const work = await read({ database, schema: location.schema }, readWaitingWork)
  return work ? [found('runs_waiting', describeWaitingWork(work, new Date().toISOString()))] : []
}

async function checkConfigured(sync: ClerkSync): Promise<Result[]> {
  const work = await Promise.all(
    sync.handlers.definitions.map(async (handler) => ({ handler, ...(await countWork(sync, handler)) })),
  )
  return work.flatMap(({ handler: { name, patterns }, events, runs, others }) => {
    if (events === 0) return []
    if (runs > 0)
      return [passed(`${name} has runs for ${runs} of ${countOf(events, 'event')} in the last ${DAYS} days.`)]
    const fact = `${name}, with ${countOf(events, 'event')} of ${patterns.join(', ')} in the last ${DAYS} days`
    return [found('handler_without_runs', fact, others ? DEPLOY_IT : undefined)]
  })
}

/** Where other handlers have runs for the same events, the app has a configuration, but another one. */
const DEPLOY_IT =
  'The app that received the events ran other handlers for them, so it uses an older configuration: deploy this one. Then run the handler for the earlier events with `clerk-sync handlers run`.'

interface Work {
  readonly events: number
  /** Events for which the handler has a run. */
  readonly runs: number
  /** Events for which any other handler has one. */
  readonly others: number
}

/** Of the last days only: a handler is not notified of events from before it. */
async function countWork(
  { database, location }: ClerkSync,
  { name, patterns }: HandlerDefinition,
): Promise<Work> {
  const runs = sql.id(location.schema, 'handler_runs')
  const withRun = (condition: RawBuilder<boolean>) =>
    sql<number>`count(*) filter (where exists (
      select from ${runs} as run where run.event_id = events.id and ${condition}))::int`
  return database
    .selectFrom('events')
    .where('received_at', '>', new Date(Date.now() - DAYS * 86_400_000))
    .where('source', '=', 'webhook')
    .where('outcome', '<>', 'parked')
    .where(ofTypes(patterns))
    .select([
      sql<number>`count(*)::int`.as('events'),
      withRun(sql`run.handler = ${name}`).as('runs'),
      withRun(sql`run.handler <> ${name}`).as('others'),
    ])
    .executeTakeFirstOrThrow()
}
