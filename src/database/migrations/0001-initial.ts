/** The first schema, of version 0.2.0. A released migration is never edited; another is added. */

import { ALERTS } from './0001-initial/alerts.ts'
import { AUDIT } from './0001-initial/audit.ts'
import { HANDLERS } from './0001-initial/handlers.ts'
import { JOBS } from './0001-initial/jobs.ts'
import { LEDGER } from './0001-initial/ledger.ts'
import { MIRROR } from './0001-initial/mirror.ts'
import type { Migration } from './migration.ts'

/** What the migrations before the first release were called. Their tables were others. */
export const UNRELEASED: readonly string[] = [
  '0001_mirror_and_ledger',
  '0002_jobs',
  '0003_handlers',
  '0005_overview',
  '0006_spans',
  '0007_mutes',
  '0008_late',
]

export const initial: Migration = {
  name: '0001_initial',
  kind: 'statements',
  sql: [MIRROR, LEDGER, HANDLERS, JOBS, AUDIT, ALERTS].join(''),
}
