/** What can be checked from within any app. `clerk-sync doctor` knows more, and takes this one's place where it runs. */

import { ClerkSyncError } from '../errors.ts'
import { readOpenFailureGroups, runsOf } from '../inspect/failures.ts'
import { describeQuantity } from '../inspect/quantity.ts'
import { describeReplica, readReplica } from '../inspect/replica.ts'
import { describeWaitingWork, START_A_WORKER } from '../inspect/status.ts'
import { readWaitingWork } from '../inspect/waiting-work.ts'
import type { Check } from './api.ts'
import { ask, type DashboardContext } from './context.ts'

/** Postgres and this machine must agree on the time: due times are compared with it. */
const MAX_SKEW_MS = 5_000

export async function checkHealth(context: DashboardContext): Promise<Check[]> {
  const database = await checkDatabase(context)
  if (database.status === 'fail') return [database]
  return [
    database,
    ...(context.sync.reads === context.sync.database ? [] : [await checkReplica(context)]),
    await checkClock(context),
    checkSecretKey(context),
    await checkTraffic(context),
    await checkWorkers(context),
    await checkRuns(context),
  ]
}

async function checkDatabase({ sync }: DashboardContext): Promise<Check> {
  const { kind, name, schema } = sync.location
  try {
    await sync.check()
    return pass('Database', 'Reachable', `${kind}, ${name}, schema ${schema}, up to date`)
  } catch (error) {
    return failure('Database', 'Reachable', error)
  }
}

async function checkReplica({ sync }: DashboardContext): Promise<Check> {
  try {
    return pass('Database', 'Replica', describeReplica(await readReplica(sync.reads)))
  } catch (error) {
    return failure('Database', 'Replica', error)
  }
}

async function checkClock(context: DashboardContext): Promise<Check> {
  const now = await ask(context, async (reading) => {
    const [row] = await reading.query<{ now: Date }>('select clock_timestamp() as now')
    return (row as { now: Date }).now
  })
  const skew = Math.abs(now.getTime() - Date.now())
  const message = `${Math.round(skew)} ms from the database's`
  if (skew <= MAX_SKEW_MS) return pass('Clock', 'Skew', message)
  return {
    ...pass('Clock', 'Skew', message),
    status: 'warn',
    code: 'timestamp_skew',
    remedy: 'Run NTP on both.',
  }
}

function checkSecretKey({ sync }: DashboardContext): Check {
  if (sync.clerk.isConfigured) return pass('Clerk', 'Secret key', 'set')
  const skipped = pass(
    'Clerk',
    'Secret key',
    'not set: rows cannot be compared with Clerk or fetched from it',
  )
  return { ...skipped, status: 'skip', remedy: 'Set CLERK_SECRET_KEY.' }
}

async function checkTraffic(context: DashboardContext): Promise<Check> {
  const rejected = await ask(context, async (reading) => {
    const [row] = await reading.query<{ requests: number; code: string | null }>(
      `select coalesce(sum(requests), 0)::integer as requests,
         (array_agg(code order by requests desc))[1] as code
       from ${reading.table('refusals')} where minute > now() - interval '24 hours'`,
    )
    return row
  })
  if (!rejected?.requests) return pass('Traffic', 'Rejected', 'nothing in the last 24 hours')
  const message = `${rejected.requests} requests in the last 24 hours, mostly ${rejected.code}`
  return { ...pass('Traffic', 'Rejected', message), status: 'warn', code: rejected.code }
}

async function checkWorkers(context: DashboardContext): Promise<Check> {
  const work = await ask(context, readWaitingWork)
  if (!work) return pass('Handlers', 'Workers', 'no run waits for one')
  const message = describeWaitingWork(work, new Date().toISOString())
  return {
    ...pass('Handlers', 'Workers', message),
    status: 'fail',
    code: 'runs_waiting',
    remedy: START_A_WORKER,
  }
}

async function checkRuns(context: DashboardContext): Promise<Check> {
  const groups = await ask(context, (reading) => readOpenFailureGroups(reading, true))
  const [latest] = groups
  if (latest === undefined) return pass('Handlers', 'Runs', 'none is failing')
  const failing = describeQuantity(runsOf(groups))
  const message = `${failing} failing, the latest in ${latest.handler}: ${latest.cause}`
  const remedy = 'Fix the cause. Then open Failures, retry one run, and the others if it succeeds.'
  return { ...pass('Handlers', 'Runs', message), status: 'warn', remedy }
}

function pass(group: string, name: string, message: string): Check {
  return { group, name, status: 'pass', code: null, message, detail: null, remedy: null }
}

function failure(group: string, name: string, error: unknown): Check {
  if (!(error instanceof ClerkSyncError)) throw error
  const { code, message, remedy } = error
  return { group, name, status: 'fail', code, message, detail: null, remedy }
}
