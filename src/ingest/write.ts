/** The second flight of a batch: every statement of its plan, and the commit. */

import type { BatchTransaction } from '../database/batch.ts'
import type { Statement } from '../database/query.ts'
import { orRollBack } from './defect.ts'
import type { Cascade, NewEvent, Plan, TablePlan, Written } from './plan.ts'
import {
  BODY_COLUMNS,
  CASCADE_COLUMNS,
  CHANGE_COLUMNS,
  COUNT_COLUMNS,
  EVENT_COLUMNS,
  membersIn,
  OUTCOME_COLUMNS,
  type RowColumns,
  RUN_COLUMNS,
  TOMBSTONE_COLUMNS,
  toParameters,
} from './rows.ts'
import type { ChildStatements, ResourceStatements, WriteStatements } from './statements.ts'

/**
 * Writes a plan and commits.
 * @param isAgain an earlier try met rows that it did not expect
 */
export async function write(
  transaction: BatchTransaction,
  statements: WriteStatements,
  plan: Plan,
  isAgain: boolean,
): Promise<void> {
  await transaction.commit(await orRollBack(transaction, () => toStatements(statements, plan, isAgain)))
}

/** In the catalogue's order, then what goes on to dependants, then the ledger. */
function toStatements(statements: WriteStatements, plan: Plan, isAgain: boolean): Statement[] {
  return [
    ...plan.tables.flatMap((table) => tableStatements(statements.of(table.resource), table, isAgain)),
    ...cascadeStatements(statements, plan.cascades),
    ...pendingStatements(statements, plan),
    ...eventStatements(statements, plan),
    ...runStatements(statements, plan),
  ]
}

function tableStatements(statements: ResourceStatements, plan: TablePlan, isAgain: boolean): Statement[] {
  const { columns, insert, update, tombstone, insertTombstones, erase, children } = statements
  const { inserts, updates, tombstoned, neverSeen, erased } = plan
  return [
    ...insertion(insert, columns, inserts),
    ...insertion(update, columns, updates),
    ...insertion(tombstone, TOMBSTONE_COLUMNS, tombstoned),
    ...insertion(insertTombstones, TOMBSTONE_COLUMNS, neverSeen),
    ...(erased.length > 0 ? [{ text: erase, parameters: [erased] }] : []),
    ...children.flatMap((child) => childStatements(child, inserts, updates, isAgain)),
    ...(tombstoned.length === 0
      ? []
      : children.map((child) => ({
          text: child.tombstone,
          parameters: toParameters(TOMBSTONE_COLUMNS, tombstoned),
        }))),
    ...deletionStatements(statements, plan),
  ]
}

function deletionStatements(
  { anonymise, remove, forgetTombstones }: ResourceStatements,
  { anonymised, removed, returned }: TablePlan,
): Statement[] {
  return [
    ...(anonymised.length > 0 ? [{ text: anonymise, parameters: [anonymised] }] : []),
    ...(removed.length > 0 ? [{ text: remove, parameters: toParameters(TOMBSTONE_COLUMNS, removed) }] : []),
    ...(returned.length > 0 ? [{ text: forgetTombstones, parameters: [returned] }] : []),
  ]
}

/**
 * A set is replaced as a whole: members may have been added or removed. One that is as before stays; most updates are of another
 * field. The set of a new row is empty, unless somebody deleted the row by hand and left its members.
 */
function childStatements(
  { childSet, columns, clear, insert }: ChildStatements,
  inserts: readonly Written[],
  allUpdates: readonly Written[],
  isAgain: boolean,
): Statement[] {
  const updates = allUpdates.filter(({ changed }) => isAgain || (changed?.has(childSet.field) ?? true))
  const members = [...inserts, ...updates].flatMap((parent) => membersIn(childSet, parent))
  const known = (isAgain ? [...inserts, ...updates] : updates).map(({ id }) => id)
  return [
    ...(known.length > 0 ? [{ text: clear, parameters: [known] }] : []),
    ...insertion(insert, columns, members),
  ]
}

function cascadeStatements(statements: WriteStatements, cascades: readonly Cascade[]): Statement[] {
  const groups = Map.groupBy(cascades, ({ resource, column }) => `${resource.table} ${column}`)
  return [...groups.values()].map((group) => {
    const [{ resource, column }] = group as [Cascade, ...Cascade[]]
    const text = statements.of(resource).cascade[column] as string
    return { text, parameters: toParameters(CASCADE_COLUMNS, group) }
  })
}

function pendingStatements(
  { verifyLater, cascadeLater }: WriteStatements,
  { pendingVerifications: late, pendingCascades }: Plan,
): Statement[] {
  const cascade = [
    pendingCascades.map(({ resource }) => resource.table),
    pendingCascades.map(({ column }) => column),
    pendingCascades.map(({ parentId }) => parentId),
  ]
  return [
    ...(late.length > 0
      ? [{ text: verifyLater, parameters: [late.map(({ table }) => table), late.map(({ id }) => id)] }]
      : []),
    ...(pendingCascades.length > 0 ? [{ text: cascadeLater, parameters: cascade }] : []),
  ]
}

function eventStatements(statements: WriteStatements, { events, repetitions, outcomes }: Plan): Statement[] {
  const repeated = [
    repetitions.map(({ id }) => id),
    repetitions.map(({ deliveries }) => deliveries),
    repetitions.map(({ bodyConflict }) => bodyConflict),
  ]
  const open = outcomes.filter(({ keepsOutcome }) => !keepsOutcome).map(toEvent)
  const ordered = [...events].sort(byId)
  return [
    ...insertion(statements.insertEvents, EVENT_COLUMNS, ordered),
    ...insertion(statements.insertBodies, BODY_COLUMNS, ordered.filter(hasBody)),
    ...insertion(statements.insertChanges, CHANGE_COLUMNS, ordered.filter(hasChanges)),
    ...counting(statements.countEvents, events),
    ...(repetitions.length > 0 ? [{ text: statements.countRepetitions, parameters: repeated }] : []),
    ...(outcomes.length > 0
      ? [{ text: statements.replayed, parameters: [outcomes.map(({ entry }) => entry.svixId)] }]
      : []),
    ...(open.length > 0
      ? [{ text: statements.updateOutcomes, parameters: toParameters(OUTCOME_COLUMNS, open) }]
      : []),
    ...replayedChanges(statements, open.filter(hasChanges)),
  ]
}

/** A body that could not be read may hold secrets: it is kept as one of those, and forgotten with them. */
function hasBody({ entry }: NewEvent): boolean {
  return entry.body.bytes !== null
}

function hasChanges({ verdict }: NewEvent): boolean {
  return verdict.changes !== null
}

function replayedChanges(statements: WriteStatements, events: readonly NewEvent[]): Statement[] {
  if (events.length === 0) return []
  return [{ text: statements.insertReplayedChanges, parameters: toParameters(CHANGE_COLUMNS, events) }]
}

function toEvent({ entry, verdict }: Plan['outcomes'][number]): NewEvent {
  return { entry, verdict, source: 'webhook', keepsSecrets: false }
}

function counting(text: string, events: readonly NewEvent[]): Statement[] {
  return events.length > 0 ? [{ text, parameters: toParameters(COUNT_COLUMNS, events) }] : []
}

/** Two servers with the same deliveries insert them in the same order, and wait for each other once at most. */
function byId({ entry: a }: NewEvent, { entry: b }: NewEvent): number {
  return a.svixId < b.svixId ? -1 : 1
}

/** Some may be there already: a replayed event's. */
function runStatements({ insertRuns: text }: WriteStatements, { runs }: Plan): Statement[] {
  return runs.length > 0 ? [{ text, parameters: toParameters(RUN_COLUMNS, runs) }] : []
}

function insertion<Row>(text: string, columns: RowColumns<Row>, rows: readonly Row[]): Statement[] {
  if (rows.length === 0) return []
  return [{ text, parameters: toParameters(columns, rows), stores: rows.length }]
}
