/** Finds whatever an id, an address or a name belongs to. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { maskText } from './masking.ts'
import type { SearchHit } from './model.ts'
import type { Reading } from './reading.ts'
import { findIds } from './resources.ts'

const MAX_HITS = 20
/** As long as an id or an address may be. */
const MAX_LENGTH = 320

/** Exact matches only: each is one step along an index. */
export async function search(reading: Reading, text: string, isMasked: boolean): Promise<SearchHit[]> {
  const wanted = text.trim()
  if (wanted === '' || wanted.length > MAX_LENGTH || wanted.includes('\u0000')) return []
  const hits = [
    ...(await findByKey(reading, 'events', 'id', 'event', wanted)),
    ...(await findByKey(reading, 'jobs', 'id', 'job', wanted)),
    ...(await findByKey(reading, 'handlers', 'name', 'handler', wanted)),
  ]
  for (const table of RESOURCES.keys()) {
    if (hits.length >= MAX_HITS) break
    for (const { id, field } of await findIds(reading, table, wanted)) {
      const title = field === 'id' ? id : `${id} · ${isMasked ? maskText(wanted) : wanted}`
      hits.push({ kind: 'resource', id, resource: table, title, field })
    }
  }
  return hits.slice(0, MAX_HITS)
}

async function findByKey(
  reading: Reading,
  table: string,
  column: string,
  kind: SearchHit['kind'],
  wanted: string,
): Promise<SearchHit[]> {
  const rows = await reading.query<{ id: string }>(
    `select ${column} as id from ${reading.table(table)} where ${column} = $1`,
    [wanted],
  )
  return rows.map(({ id }) => ({ kind, id, resource: null, title: id, field: column }))
}
