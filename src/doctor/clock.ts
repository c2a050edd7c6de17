/** Whether this machine knows what time it is. */

import { sql } from 'kysely'
import type { Config } from '../config.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

/** Half of what a delivery may be off: beyond that, Svix's retries and network delays do the rest. */
const MAX_SHARE_OF_TOLERANCE = 0.5
const TIMEOUT_MS = 3_000

export function clockChecks(examined: ExaminedDatabase, config: Config, isOffline: boolean): Check[] {
  const judge = (skewMs: number, reference: string) => judgeSkew(skewMs, reference, config.toleranceSeconds)
  const database: Check = {
    group: 'clock',
    name: 'clock of the database',
    run: async () =>
      (await examined.isUsable()) ? [judge(await databaseSkew(examined), 'the database')] : [],
  }
  const clerk: Check = {
    group: 'clock',
    name: 'clock of Clerk',
    run: async () => {
      const skew = await httpSkew(config.apiUrl)
      return skew === undefined ? [] : [judge(skew, new URL(config.apiUrl).host)]
    },
  }
  return isOffline ? [database] : [database, clerk]
}

function judgeSkew(skewMs: number, reference: string, toleranceSeconds: number): Result {
  const seconds = `${(Math.abs(skewMs) / 1000).toFixed(1)} seconds`
  const fact = `${seconds} ${skewMs < 0 ? 'behind' : 'ahead of'} ${reference}`
  const isWrong = Math.abs(skewMs) > toleranceSeconds * 1000 * MAX_SHARE_OF_TOLERANCE
  return isWrong ? found('clock_skewed', `it is ${fact}`) : passed(`The clock is ${fact}.`)
}

/** How far this clock is ahead, half of the way there and back considered. */
async function databaseSkew({ sync }: ExaminedDatabase): Promise<number> {
  const before = Date.now()
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(sync.database)
  return (before + Date.now()) / 2 - (rows[0] as { now: Date }).now.getTime()
}

/** From the Date header, which has whole seconds; undefined if nobody answers. */
async function httpSkew(url: string): Promise<number | undefined> {
  const before = Date.now()
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal }).catch(() => undefined)
  const date = Date.parse(response?.headers.get('date') ?? '')
  const halfASecond = 500
  return Number.isNaN(date) ? undefined : (before + Date.now()) / 2 - (date + halfASecond)
}
