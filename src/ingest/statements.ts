/**
 * The SQL of a batch, written once for a schema from the catalogue. Each statement handles all rows of a batch, which come
 * as one array for each column.
 *
 * A new row is inserted, a known one updated: the first flight has locked those that are there. Two servers that meet in a
 * new row get a unique violation, and the batch runs again.
 */

import { RESOURCES } from '../clerk/catalogue.ts'
import { ALL_SOFT, type DeletionPolicies } from '../clerk/deletion.ts'
import type { ChildSet, Resource } from '../clerk/resource.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { type AfterDeletion, afterDeletion, cascadeStatement } from './after-deletion.ts'
import { MAX_CASCADE, type Written } from './plan.ts'
import {
  BODY_COLUMNS,
  CHANGE_COLUMNS,
  COUNT_COLUMNS,
  EVENT_COLUMNS,
  type Member,
  memberColumns,
  OUTCOME_COLUMNS,
  type RowColumns,
  RUN_COLUMNS,
  resourceColumns,
  rowsOf,
  TOMBSTONE_COLUMNS,
} from './rows.ts'

/** For the first flight. */
export interface ReadStatements {
  readonly lockFamilies: string
  readonly recorded: string
  readonly notified: string
  readonly sweeps: string
  lock(resource: Resource): string
  tombstones(parent: Resource): string
  dependants(child: Resource, column: string): string
}

export interface ResourceStatements extends AfterDeletion {
  readonly columns: RowColumns<Written>
  readonly insert: string
  readonly update: string
  /** Marks rows as deleted. */
  readonly tombstone: string
  /** Makes rows of resources that were never seen alive, so that a late first state finds the tombstone. */
  readonly insertTombstones: string
  /** Makes erased rows, or erases what is there. $1 ids. */
  readonly erase: string
  readonly children: readonly ChildStatements[]
  /** By the column that names the parent. */
  readonly cascade: Readonly<Record<string, string>>
}

export interface ChildStatements {
  readonly childSet: ChildSet
  readonly columns: RowColumns<Member>
  /** $1 ids of the rows whose sets are replaced. */
  readonly clear: string
  readonly insert: string
  /** The sets of rows that are marked as deleted. */
  readonly tombstone: string
}

/** For the second flight. */
export interface WriteStatements {
  of(resource: Resource): ResourceStatements
  readonly insertEvents: string
  readonly insertBodies: string
  readonly insertChanges: string
  /** What replays changed: filed under the time of their events. */
  readonly insertReplayedChanges: string
  readonly countEvents: string
  readonly countRepetitions: string
  readonly replayed: string
  readonly updateOutcomes: string
  readonly insertRuns: string
  readonly verifyLater: string
  readonly cascadeLater: string
}

export type Statements = ReadStatements & WriteStatements

export function createStatements(schema: string, deletion: DeletionPolicies = ALL_SOFT): Statements {
  const resources = new Map(
    [...RESOURCES.values()].map((each) => [each, resourceStatements(each, schema, deletion)]),
  )
  return {
    ...readStatements(schema),
    ...eventStatements(schema),
    of: (resource) => resources.get(resource) as ResourceStatements,
    insertRuns: `${insertInto(schema, 'handler_runs', RUN_COLUMNS)} on conflict do nothing`,
    verifyLater: `
      insert into ${qualify(schema, 'pending_verifications')} (resource, id)
      select * from unnest($1::text[], $2::text[]) as late(resource, id) order by 1, 2 on conflict do nothing`,
    cascadeLater: `
      insert into ${qualify(schema, 'pending_cascades')} (resource, parent_column, parent_id)
      select * from unnest($1::text[], $2::text[], $3::text[]) as pending(a, b, c) order by 1, 2, 3
      on conflict (resource, parent_column, parent_id) do update set after_id = ''`,
  }
}

/**
 * The row with the id that was asked for. Other indexes end with the id: on an empty table they look as good as the primary
 * key, and a plan that is kept would read one of them from end to end for every id. Only the primary key has this order.
 */
const byAskedId = 'id >= asked.id and id <= asked.id order by id limit 1'

/**
 * `lockFamilies` locks a parent and its dependants by the parent's id: transactions that write dependants share the
 * lock, one that deletes the parent holds it exclusively. Otherwise a membership written while its organization is
 * being deleted elsewhere would be seen by neither transaction, and stay alive for ever. $1 bucket numbers, $2 whether
 * each is exclusive; taken in one order by everyone, before any row is locked.
 */
function readStatements(schema: string): ReadStatements {
  const events = qualify(schema, 'events')
  const gone = qualify(schema, 'tombstones')
  return {
    lockFamilies: `
      select case when exclusive
        then pg_advisory_xact_lock(hashtext('${schema.replaceAll("'", "''")}') # ${0x636c6b}, bucket)
        else pg_advisory_xact_lock_shared(hashtext('${schema.replaceAll("'", "''")}') # ${0x636c6b}, bucket) end
      from (select * from unnest($1::int[], $2::bool[]) as family(bucket, exclusive) order by bucket) as families`,
    recorded: `
      select recorded.* from unnest($1::text[]) as asked(id)
      cross join lateral (select id, body_sha256 from ${events} where ${byAskedId}) as recorded`,
    // On an empty table any index looks as good as the one by resource, and the plan is kept: type and order rule the others out.
    notified: `
      select event.id, wanted.type, wanted.resource_id, event.occurred_at, event.source
      from (select distinct * from unnest($1::text[], $2::text[]) as pair(resource_id, type)) as wanted
      join lateral (
        (select id, occurred_at, source from ${events}
          where resource_id = wanted.resource_id and type || '' = wanted.type and outcome <> 'parked'
          order by occurred_at desc limit 1)
        union all
        (select id, occurred_at, source from ${events}
          where resource_id = wanted.resource_id and type || '' = wanted.type and source || '' <> 'webhook'
          order by occurred_at)
      ) as event on true`,
    sweeps: `select instance_id, started_at from ${qualify(schema, 'sweep_starts')} where resource = $1`,
    lock: ({ table }) => `
      select stored.* from unnest($1::text[]) as asked(id)
      cross join lateral (
        select * from (
          select id, clerk_updated_at, observed_at, deleted_at, event_id, instance_id, raw::text as raw,
            erased_at is not null as is_erased, false as is_gone
          from ${qualify(schema, table)} where ${byAskedId} for update
        ) as present
        union all
        select * from (
          select id, null::timestamptz, null::timestamptz, deleted_at, event_id, instance_id, null, false, true
          from ${gone} where resource = '${table}' and ${byAskedId}
        ) as gone
      ) as stored`,
    tombstones: ({ table }) => `
      select stored.* from unnest($1::text[]) as asked(id)
      cross join lateral (
        select * from (
          select id, deleted_at, event_id, erased_at is not null as is_erased from ${qualify(schema, table)}
          where deleted_at is not null and ${byAskedId}
        ) as present
        union all
        select * from (
          select id, deleted_at, event_id, false from ${gone} where resource = '${table}' and ${byAskedId}
        ) as gone
      ) as stored`,
    dependants: ({ table }, column) => `
      select parent.id, (
        select count(*)::integer from (
          select from ${qualify(schema, table)} where ${quoteIdentifier(column)} = parent.id limit ${MAX_CASCADE + 1}
        ) as found
      ) as count from unnest($1::text[]) as parent(id)`,
  }
}

function resourceStatements(
  resource: Resource,
  schema: string,
  deletion: DeletionPolicies,
): ResourceStatements {
  const { table } = resource
  const columns = resourceColumns(resource)
  const stored = qualify(schema, table)
  return {
    columns,
    insert: insertInto(schema, table, columns),
    update: `
      update ${stored} as stored set ${assignments(columns)}, synced_at = now()
      from ${rowsOf(columns)} where stored.id = "row".id and stored.id = any($1)`,
    tombstone: `
      update ${stored} as stored set deleted_at = "row".deleted_at, event_id = "row".event_id, synced_at = now()
      from ${rowsOf(TOMBSTONE_COLUMNS)} where stored.id = "row".id and stored.id = any($1)`,
    insertTombstones: insertInto(schema, table, TOMBSTONE_COLUMNS),
    erase: eraseStatement(resource, schema),
    ...afterDeletion(resource, schema),
    children: (resource.children ?? []).map((childSet) => childStatements(childSet, schema)),
    cascade: Object.fromEntries(
      Object.keys(resource.parents ?? {}).map((column) => [
        column,
        cascadeStatement({ resource, column, schema, policy: deletion.get(table) }),
      ]),
    ),
  }
}

/** Keeps the ids of its parents and users, by which a deletion and the next erasure find it. */
function eraseStatement(resource: Resource, schema: string): string {
  const kept = new Set([...Object.keys(resource.parents ?? {}), ...Object.keys(resource.person?.users ?? {})])
  const columns = Object.keys(resource.columns).filter((name) => !kept.has(name))
  const emptied = [...columns, 'raw', 'clerk_created_at', 'clerk_updated_at', 'observed_at']
  const table = qualify(schema, resource.table)
  const children = (resource.children ?? []).map(
    ({ table: set, parentColumn }, index) =>
      `members_${index} as (delete from ${qualify(schema, set)} where ${quoteIdentifier(parentColumn)} = any($1::text[]))`,
  )
  return `
    ${children.length > 0 ? `with ${children}` : ''}
    insert into ${table} as stored (id, deleted_at, erased_at)
    select id, now(), now() from unnest($1::text[]) as gone(id)
    on conflict (id) do update set ${emptied.map((name) => `${quoteIdentifier(name)} = null`)},
      deleted_at = coalesce(stored.deleted_at, now()), erased_at = coalesce(stored.erased_at, now()), synced_at = now()`
}

function assignments<Row>(columns: RowColumns<Row>): string[] {
  return columns
    .map(({ name }) => quoteIdentifier(name))
    .filter((name) => name !== '"id"')
    .map((name) => `${name} = "row".${name}`)
}

function childStatements(childSet: ChildSet, schema: string): ChildStatements {
  const columns = memberColumns(childSet)
  const table = qualify(schema, childSet.table)
  const parent = quoteIdentifier(childSet.parentColumn)
  return {
    childSet,
    columns,
    clear: `delete from ${table} where ${parent} = any($1::text[])`,
    insert: insertInto(schema, childSet.table, columns),
    tombstone: `
      update ${table} as stored set deleted_at = "row".deleted_at, synced_at = now()
      from ${rowsOf(TOMBSTONE_COLUMNS)} where stored.${parent} = "row".id and stored.${parent} = any($1)`,
  }
}

function eventStatements(schema: string) {
  const events = qualify(schema, 'events')
  return {
    insertEvents: insertInto(schema, 'events', EVENT_COLUMNS),
    insertBodies: insertInto(schema, 'event_bodies', BODY_COLUMNS),
    insertChanges: insertInto(schema, 'event_changes', CHANGE_COLUMNS),
    insertReplayedChanges: `
      insert into ${qualify(schema, 'event_changes')} (event_id, filed_at, changes)
      select event_id, received_at, changes from ${rowsOf(CHANGE_COLUMNS)} join ${events} on id = event_id
      on conflict do nothing`,
    countEvents: `${addToMinutes(schema, 'outcome', LAG_STEP, 'count(*)')} from ${rowsOf(COUNT_COLUMNS)} group by 3, 4 ${ON_MINUTE}`,
    countRepetitions: `
      with again as (
        select * from unnest($1::text[], $2::int[], $3::bool[]) as again(id, deliveries, body_conflict)
      ), counted as (
        ${addToMinutes(schema, "'duplicate'", '-1', 'sum(deliveries)')} from again ${ON_MINUTE}
      )
      update ${events} as recorded
      set deliveries = recorded.deliveries + again.deliveries, last_delivered_at = now(),
          body_conflict = recorded.body_conflict or again.body_conflict
      from again where recorded.id = again.id and recorded.id = any($1)`,
    // These two are planned for each replay: see PreparedStatements.
    replayed: `
      with again as (select * from unnest($1::text[]) as again(id))
      update ${events} as recorded set replayed_at = now()
      from again where recorded.id = again.id and recorded.id = any($1)`,
    updateOutcomes: `
      with "row" as (select * from ${rowsOf(OUTCOME_COLUMNS)})
      update ${events} as recorded
      set outcome = "row".outcome, reason = "row".reason, error = "row".error,
          type = "row".type, resource = "row".resource, resource_id = "row".resource_id
      from "row" where recorded.id = "row".id and recorded.id = any($1)`,
  }
}

/**
 * Only Svix's deliveries are late; a clock that is behind counts as no lag. `extract` would compute a `numeric`, which takes a third of
 * the statement's time.
 */
const LAG_STEP = `case when source = 'webhook'
  then floor(${2 / Math.LN2} * ln(greatest(1, date_part('epoch', now() - occurred_at) * 1000)))
  else -1 end`

/**
 * Counts events of this minute in the transaction that records them, so that nobody ever has to count them. Each connection
 * of the server has rows of its own: none waits for the commit of another, which may have stopped in the middle of it.
 */
function addToMinutes(schema: string, outcome: string, lagStep: string, events: string): string {
  return `insert into ${qualify(schema, 'event_minutes')} as minutes (minute, backend, outcome, lag_step, events)
    select date_trunc('minute', now()), pg_backend_pid(), ${outcome}, ${lagStep}, ${events}`
}

const ON_MINUTE = `
  on conflict (minute, backend, outcome, lag_step) do update set events = minutes.events + excluded.events`

function insertInto<Row>(schema: string, table: string, columns: RowColumns<Row>): string {
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const values = columns.map(({ type }, index) => `unnest($${index + 1}::${type}[])`)
  return `insert into ${qualify(schema, table)} (${names}) select ${values}`
}
