/** Who did what in the dashboard. */

import { type PageRequest, readCursor, toPage } from './cursor.ts'
import type { AuditEntry, PageOf } from './model.ts'
import { type Reading, toTime } from './reading.ts'

interface AuditRow extends Omit<AuditEntry, 'at'> {
  readonly at: Date
  readonly position: string
}

export async function listAudit(
  reading: Reading,
  { limit, cursor }: PageRequest,
): Promise<PageOf<AuditEntry>> {
  const position = readCursor(cursor, ['time', 'id'])
  const rows = await reading.query<AuditRow>(
    `select *, at::text as position from ${reading.table('audit_log')}
     ${position ? 'where (at, id) < ($2::timestamptz, $3)' : ''} order by at desc, id desc limit $1`,
    [limit + 1, ...(position ?? [])],
  )
  const items = rows.map(({ position: _, at, ...entry }) => ({ ...entry, at: toTime(at) }))
  return toPage(rows, limit, items, (row) => [row.position, row.id])
}
