/**
 * Finds rows whose resource no longer exists in Clerk.
 *
 * A row missing from a list proves nothing: pages shift between requests, and lists can be incomplete. Each row is
 * looked up by its id before it is marked as deleted, and when suspiciously many are missing, nothing is deleted at
 * all.
 */

import type { Resource } from '../clerk/resource.ts'
import { ClerkSyncError } from '../errors.ts'
import { findCauses } from './causes.ts'
import { ask, repairRows } from './confirm.ts'
import { canLookUp } from './lookup.ts'
import { addDrift, noteRefusal, type SweepProgress } from './progress.ts'
import type { SeenIds, Unseen } from './seen-ids.ts'
import type { Task } from './task.ts'

const BATCH_SIZE = 500
/** This many may always be missing. */
const UNSUSPICIOUS = 20
/** Above that, at most this share of the rows. */
const UNSUSPICIOUS_SHARE = 0.25

const EXTRA = { kind: 'extra', fields: [] } as const

/**
 * Marks rows as deleted that are missing from Clerk's list and that Clerk does not find by id.
 * @throws {ClerkSyncError} `list_shrunken`, `api_…`, `database_…`
 */
export async function tombstoneAbsent(
  task: Task,
  resource: Resource,
  seenIds: SeenIds,
  startedAt: Date,
  progress: SweepProgress,
): Promise<void> {
  if (!canLookUp(resource)) return
  await requireUnsuspicious(task, resource, seenIds, startedAt)
  let after = ''
  for (;;) {
    const unseen = await seenIds.unseen(startedAt, task.instanceId, after, BATCH_SIZE)
    if (unseen.length > 0) await examine(task, resource, unseen, progress)
    if (unseen.length < BATCH_SIZE) return
    after = unseen.at(-1)?.id ?? ''
  }
}

async function requireUnsuspicious(
  { instanceId, maxDeletions }: Task,
  { table }: Resource,
  seenIds: SeenIds,
  startedAt: Date,
): Promise<void> {
  const { unseen, live } = await seenIds.countUnseen(startedAt, instanceId)
  const allowed = maxDeletions ?? Math.max(UNSUSPICIOUS, Math.floor(live * UNSUSPICIOUS_SHARE))
  if (unseen > allowed) throw new ClerkSyncError('list_shrunken', `${unseen} of ${live} ${table} are missing`)
}

async function examine(
  task: Task,
  resource: Resource,
  unseen: readonly Unseen[],
  progress: SweepProgress,
): Promise<void> {
  const answers = await ask(task, resource, unseen)
  const absent = answers.filter(({ item }) => item === null)
  const causes = await findCauses(
    task.database,
    task.schema,
    resource.table,
    absent.map(({ id }) => ({ id, drift: EXTRA, since: sinceOf(unseen, id) })),
  )
  absent.forEach(({ id }, index) => {
    addDrift(task.report, resource.table, id, EXTRA, causes[index] ?? 'no_event')
  })
  const refused = task.writes ? await repairRows(task, resource, answers) : []
  const isRefused = (id: string) => refused.some((each) => each.id === id)
  progress.deleted += absent.filter(({ id }) => !isRefused(id)).length
  for (const row of refused) noteRefusal(progress, row)
}

function sinceOf(unseen: readonly Unseen[], id: string): Date {
  const row = unseen.find((each) => each.id === id)
  // The event that made the row says nothing about its end.
  return row?.observed_at instanceof Date ? new Date(row.observed_at.getTime() + 1) : new Date(0)
}
