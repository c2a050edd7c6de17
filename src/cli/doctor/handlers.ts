/** Whether the handlers of the configuration are run: by an app that knows them, and by a worker that is there. */

import { sql } from 'kysely'
import type { ClerkSync, HandlerDefinition } from '../../index.ts'
import { read } from '../../inspect/reading.ts'
import { describeWaitingWork } from '../../inspect/status.ts'
import { readWaitingWork } from '../../inspect/waiting-work.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

const DAYS = 7

export function handlerChecks(examined: ExaminedDatabase): Check[] {
  const check = (name: string, look: (sync: ClerkSync) => Promise<readonly Result[]>): Check => ({
    group: 'traffic',
    name,
    run: async () => ((await examined.isUsable()) ? look(examined.sync) : []),
  })
  return [check('workers', checkWorkers), check('handlers of the configuration', checkConfigured)]
}

async function checkWorkers({ database, location }: ClerkSync): Promise<Result[]> {
  const work = await read({ database, schema: location.schema }, readWaitingWork)
  return work ? [found('runs_waiting', describeWaitingWork(work, new Date().toISOString()))] : []
}

async function checkConfigured(sync: ClerkSync): Promise<Result[]> {
  const results = await Promise.all(sync.handlers.definitions.map((handler) => checkHandler(sync, handler)))
  return results.flat()
}

/** Since a handler is not told of what was there before it, the latest events count, not all. */
async function checkHandler(
  { database, location }: ClerkSync,
  { name, patterns }: HandlerDefinition,
): Promise<Result[]> {
  const { events, runs } = await database
    .selectFrom('events')
    .where('received_at', '>', new Date(Date.now() - DAYS * 86_400_000))
    .where('source', '=', 'webhook')
    .where('outcome', '<>', 'parked')
    .where(sql<boolean>`type like any(${patterns.map((pattern) => pattern.replaceAll('*', '%'))})`)
    .select([
      sql<number>`count(*)::int`.as('events'),
      sql<number>`count(*) filter (where exists (
        select from ${sql.id(location.schema, 'handler_runs')} as run where run.event_id = events.id and run.handler = ${name}
      ))::int`.as('runs'),
    ])
    .executeTakeFirstOrThrow()
  if (events === 0) return []
  if (runs > 0) return [passed(`${name} has runs for ${runs} of ${events} events in the last ${DAYS} days.`)]
  const fact = `${name}, with ${events} events of ${patterns.join(', ')} in the last ${DAYS} days`
  return [found('handler_without_runs', fact)]
}
