/** How long the way to Postgres and back takes. */

import pg from 'pg'
import { quantile } from './report.ts'

const PINGS = 200

/** The median in milliseconds, of `select 1`. */
export async function measureRoundTrip(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const times = new Float64Array(PINGS)
  for (let ping = 0; ping < PINGS; ping++) {
    const startedAt = performance.now()
    await client.query('select 1')
    times[ping] = performance.now() - startedAt
  }
  await client.end()
  return quantile(times.sort(), 0.5)
}
