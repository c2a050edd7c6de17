/**
 * Confirms rows: asks Clerk for each by its id, and writes the answer. Only this deletes a row, because a list may have
 * skipped it.
 */

import type { ApiCall, ClerkApi } from '../clerk/api/client.ts'
import { type ApiDescription, type ApiList, fillPath, isWhole } from '../clerk/api-description.ts'
import { RESOURCES } from '../clerk/catalogue.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Observation } from '../ingest/observation.ts'
import type { Verdict } from '../ingest/verdict.ts'
import { findInstance } from './instance.ts'
import { type Answer, lookUp, type Wanted } from './lookup.ts'
import type { RefusedRepair } from './progress.ts'
import { notificationFor, observationsOf, type Repair } from './task.ts'

/** The dependencies of a repair outside of a job. */
export interface RepairParts extends Pick<Repair, 'ledger' | 'resources' | 'privacy'> {
  readonly database: Database
  /** @throws {ClerkSyncError} `api_key_missing` */
  readonly api: () => ClerkApi
  readonly instanceIds: ReadonlySet<string>
}

/**
 * Begins a repair outside of a job. Handlers are not notified.
 * @throws {ClerkSyncError} `api_…`
 */
export async function openRepair(parts: RepairParts, call: ApiCall): Promise<Repair> {
  const { ledger, resources, privacy, instanceIds } = parts
  const { queries: database, schema } = parts.database
  const api = parts.api()
  const instanceId = await findInstance(api, instanceIds, call)
  const how = { jobId: null, isReconcile: true, notifiesHandlers: false }
  return { ...how, api, call, database, schema, ledger, resources, privacy, instanceId }
}

/**
 * Asks for rows by their ids.
 * @throws {ClerkSyncError} `api_…`
 */
export async function ask(repair: Repair, resource: Resource, rows: readonly Wanted[]): Promise<Answer[]> {
  const answers = await lookUp(repair.api, resource, rows, repair.call)
  if (answers.some(({ item }) => item === null)) await requireList(repair, resource)
  return answers
}

/** A feature that was switched off meanwhile looks as if everything in it had been deleted. */
async function requireList({ api, call }: Repair, { api: description }: Resource): Promise<void> {
  const list = wholeList(description)
  if (list === undefined) return
  await api.page(fillPath(list.path, {}), { ...list.query, ...list.parts?.[0], limit: '1' }, call)
}

/** The list itself, or the list of its parent. */
function wholeList(description: ApiDescription | undefined): ApiList | undefined {
  const [list] = description?.lists ?? []
  if (list === undefined || !isWhole(list)) return undefined
  return list.per ? wholeList(RESOURCES.get(list.per)?.api) : list
}

/**
 * Marks rows as deleted that Clerk does not have, and updates the others to Clerk's state.
 * @returns the rows that the database refused to change
 * @throws {ClerkSyncError} `database_…`
 */
export async function repairRows(
  repair: Repair,
  resource: Resource,
  answers: readonly Answer[],
): Promise<RefusedRepair[]> {
  const absent = answers.filter(({ item }) => item === null)
  const deletions = absent.map((answer) => deletionOf(repair, resource, answer))
  const found = answers.flatMap(({ item, observedAt }) =>
    item ? observationsOf(repair, resource, item, observedAt, true) : [],
  )
  const kinds = new Map(deletions.map((deletion) => [deletion, 'extra'] as const))
  const observations = [...deletions, ...found]
  const applied = await repair.ledger.apply(observations, notificationFor(repair, kinds))
  return refusedAmong(resource.table, observations, applied)
}

/** Those of a table's rows that the database refused. */
export function refusedAmong(
  table: string,
  observations: readonly Observation[],
  applied: readonly Verdict[],
): RefusedRepair[] {
  return observations.flatMap(({ id, resource }, index) => {
    const { outcome, error = 'no reason given' } = applied[index] as Verdict
    return outcome === 'failed' && resource.table === table ? [{ id, error }] : []
  })
}

/** @throws {ClerkSyncError} `repair_refused` */
export function requireApplied(table: string, [refused]: readonly RefusedRepair[]): void {
  if (refused) throw new ClerkSyncError('repair_refused', `${table} ${refused.id}: ${refused.error}`)
}

function deletionOf(
  { jobId, instanceId }: Repair,
  resource: Resource,
  { id, observedAt }: Answer,
): Observation {
  return { resource, id, state: null, isDeletion: true, observedAt, eventId: jobId, instanceId }
}
