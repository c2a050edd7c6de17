/**
 * The SQL of the ledger, written once per resource from the catalogue.
 *
 * Each statement handles all rows of a batch: those of the tables come as one array for each column, which Postgres
 * unpacks fastest, and small ones as one JSON parameter. Byte strings (bodies, JSON texts that must stay verbatim) come beside them as one binary
 * parameter, each row naming its place in it: nothing is escaped, copied or decoded on the way.
 */

import type { ChildSet, Columns, Resource } from '../clerk/resource.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { prepared } from '../database/prepared.ts'
import type { RowsStatement, Types } from './arrays.ts'

/** Columns that every mirrored table has, beside the resource's own. `raw` comes as bytes. */
const STANDARD_COLUMNS = {
  clerk_created_at: 'timestamptz',
  clerk_updated_at: 'timestamptz',
  observed_at: 'timestamptz',
  deleted_at: 'timestamptz',
  event_id: 'text',
  instance_id: 'text',
} as const

export interface ResourceStatements {
  /** $1 ids → the stored rows, locked in the order of their ids. */
  readonly lock: string
  /** $1 ids of rows whose tombstones were refuted. Before the upsert, which keeps tombstones. */
  readonly lift: string
  /** $1 ids of rows whose sets are about to be written anew. Absent: it has none. */
  readonly clear?: string
  /** → id, inserted, is_late */
  readonly upsert: RowsStatement
  /** $1 ids of rows that are late: they are asked for. */
  readonly askFor: string
  readonly children: readonly ChildStatement[]
  /** $1 tombstones. Rows never seen alive are created, so that a late first state finds the tombstone. */
  readonly bury: string
  /**
   * $1 tombstones whose rows' sets are deleted with them, $2 their ids. After `bury`, which waits for who is writing such
   * a row: what they wrote is only seen by a statement that begins later. Absent: it has none.
   */
  readonly buryMembers?: string
  /** By parent column: $1 tombstones of parents. */
  readonly buryByParent: Readonly<Record<string, string>>
}

/** Writes the members of a set. */
export interface ChildStatement extends RowsStatement {
  readonly childSet: ChildSet
}

export function resourceStatements(resource: Resource, schema: string): ResourceStatements {
  const table = qualify(schema, resource.table)
  const children = resource.children ?? []
  return {
    lock: `
      select id, clerk_updated_at, observed_at, deleted_at, event_id, raw::text as raw
      from ${table} where id = any($1::text[]) order by id for update`,
    lift: `update ${table} set deleted_at = null where id = any($1::text[])`,
    ...(children.length > 0 && {
      clear: clearStatement(children, schema),
      buryMembers: buryMembersStatement(children, schema),
    }),
    upsert: upsertStatement(resource, schema),
    askFor: askForStatement(resource, schema),
    children: children.map((childSet) => childStatement(childSet, schema)),
    bury: `
      insert into ${table} as stored (id, deleted_at, event_id, instance_id)
      select id, deleted_at, event_id, instance_id from ${tombstones()}
      on conflict (id) do update
      set deleted_at = excluded.deleted_at, event_id = excluded.event_id, synced_at = now()
      where stored.deleted_at is null or excluded.deleted_at < stored.deleted_at`,
    buryByParent: Object.fromEntries(
      Object.keys(resource.parents ?? {}).map((column) => [column, buryByParentStatement(table, column)]),
    ),
  }
}

/** What a newer state does not simply replace. The Backend API does not say which instance it shows. */
const KEPT = new Set(['"id"', '"deleted_at"', '"instance_id"'])

/**
 * The guard: a row only ever changes to a newer state, and a deletion is not lifted by one.
 *
 * Rows are locked and compared before this runs (`fold.ts` has the same order), so the guard decides only when another
 * transaction inserted the row in between; `inserted` then tells, and the batch is run again.
 */
function upsertStatement({ table, columns }: Resource, schema: string): RowsStatement {
  const types = { id: 'text', ...sqlTypes(columns), ...STANDARD_COLUMNS, ...BYTES_PLACE }
  const names = ['id', ...Object.keys(columns), ...Object.keys(STANDARD_COLUMNS)].map(quoteIdentifier)
  const guarded = names.filter((name) => !KEPT.has(name))
  const version = (row: string) =>
    `(coalesce(${row}.clerk_updated_at, ${row}.observed_at), ${row}.observed_at, ${row}.raw::text collate "C")`
  const text = prepared(`
    insert into ${qualify(schema, table)} as stored (${names}, raw)
    select ${names}, ${sliceOfBytes('raw', parameterAfter(types))} from ${columnArrays(types)}
    on conflict (id) do update
    set ${guarded.map((name) => `${name} = excluded.${name}`)}, raw = excluded.raw, synced_at = now(),
        instance_id = coalesce(excluded.instance_id, stored.instance_id),
        deleted_at = least(stored.deleted_at, excluded.deleted_at)
    where stored.observed_at is null or ${version('excluded')} > ${version('stored')}
    returning id, xmax = 0 as inserted, deleted_at is null and observed_at < (
      select max(started_at) from ${qualify(schema, 'sweep_starts')} where resource = '${table}'
    ) as is_late`)
  return { text, types }
}

/** A sweep of another Clerk instance tells nothing of a row. */
function askForStatement({ table }: Resource, schema: string): string {
  return `
    insert into ${qualify(schema, 'late_rows')} (resource, id)
    select '${table}', row.id from ${qualify(schema, table)} as row
    where row.id = any($1::text[]) and exists (
      select from ${qualify(schema, 'sweep_starts')} as sweep
      where sweep.resource = '${table}' and row.observed_at < sweep.started_at
        and (row.instance_id is null or sweep.instance_id in (row.instance_id, ''))
    )
    order by row.id on conflict do nothing`
}

/** Somebody may have removed the parent's row by hand and left these. */
function childStatement(childSet: ChildSet, schema: string): ChildStatement {
  const columns = {
    [childSet.parentColumn]: 'text',
    id: 'text',
    ...sqlTypes(childSet.columns),
    ...STANDARD_COLUMNS,
  }
  const types = { ...columns, ...BYTES_PLACE }
  const names = Object.keys(columns).map(quoteIdentifier)
  const text = prepared(`
    insert into ${qualify(schema, childSet.table)} (${names}, raw)
    select ${names}, ${sliceOfBytes('raw', parameterAfter(types))} from ${columnArrays(types)}
    on conflict (${childSet.parentColumn}, id) do update set ${[...names, 'raw'].map((name) => `${name} = excluded.${name}`)}`)
  return { childSet, text, types }
}

function clearStatement(children: readonly ChildSet[], schema: string): string {
  const deletions = children.map(
    ({ table, parentColumn }) =>
      `delete from ${qualify(schema, table)} where ${parentColumn} = any($1::text[])`,
  )
  return `with ${named(deletions)} select`
}

/** By their ids too, which leads Postgres to the index: how many rows a JSON document has it does not know. */
function buryMembersStatement(children: readonly ChildSet[], schema: string): string {
  const burials = children.map(
    ({ table, parentColumn }) => `
      update ${qualify(schema, table)} as stored
      set deleted_at = parent.deleted_at, event_id = parent.event_id, synced_at = now()
      from parent where stored.${parentColumn} = any($2::text[]) and stored.${parentColumn} = parent.id
      and (stored.deleted_at is null or parent.deleted_at < stored.deleted_at)`,
  )
  return `with parent as materialized (select * from ${tombstones()}), ${named(burials)} select`
}

/** Statements to run with another. They must not touch the same rows: they see none of each other's work. */
function named(statements: readonly string[]): string {
  return statements.map((statement, index) => `also_${index} as (${statement})`).join(', ')
}

function buryByParentStatement(table: string, column: string): string {
  const parent = quoteIdentifier(column)
  return `
    with gone as (
      select stored.id, parent.deleted_at, parent.event_id
      from ${table} as stored join ${tombstones('parent')} on stored.${parent} = parent.id
      where stored.deleted_at is null or parent.deleted_at < stored.deleted_at
      order by stored.id for update of stored
    )
    update ${table} as stored
    set deleted_at = gone.deleted_at, event_id = gone.event_id, synced_at = now()
    from gone where stored.id = gone.id`
}

/** $1 ids → those of them that are deleted. */
export function tombstonesStatement(resource: Resource, schema: string): string {
  return `
    select id, deleted_at, event_id from ${qualify(schema, resource.table)}
    where id = any($1::text[]) and deleted_at is not null`
}

/**
 * Locks what hangs together by a parent's id: whoever writes what belongs to a parent shares the lock, whoever deletes
 * the parent has it alone. Otherwise a membership written while its organization is being deleted elsewhere would be
 * seen by neither transaction, and stay alive for ever.
 *
 * $1 bucket numbers, $2 whether each is exclusive. Taken in one order by everyone, before any row is locked.
 */
export const LOCK_FAMILIES = `
  select case when exclusive
    then pg_advisory_xact_lock(${0x636c6b}, bucket) else pg_advisory_xact_lock_shared(${0x636c6b}, bucket) end
  from (select * from unnest($1::int[], $2::bool[]) as family(bucket, exclusive) order by bucket) as families`

export interface EventStatements {
  /** $1 ids → id, body_sha256 of those already recorded */
  readonly findRecorded: string
  /** → id, inserted */
  readonly insert: RowsStatement
  /** $1 rows of duplicates */
  readonly countDuplicates: string
  /** $1 ids of events that are being replayed */
  readonly replayed: string
  /** $1 rows, $2 bytes: the new outcomes of replayed events */
  readonly update: string
}

export function eventStatements(schema: string): EventStatements {
  const table = qualify(schema, 'events')
  return {
    findRecorded: `select id, body_sha256 from ${table} where id = any($1::text[])`,
    insert: eventStatement(table, schema),
    countDuplicates: `
      with again as materialized (
        select * from ${recordset({ id: 'text', deliveries: 'integer', body_conflict: 'boolean' }, 'again')}
      ), counted as (
        ${addToMinutes(schema, "'duplicate'", '-1', 'sum(deliveries)')} from again ${ON_MINUTE}
      )
      update ${table} as recorded
      set deliveries = recorded.deliveries + again.deliveries, last_delivered_at = now(),
          body_conflict = recorded.body_conflict or again.body_conflict
      from again where recorded.id = again.id`,
    replayed: `update ${table} set replayed_at = now() where id = any($1::text[])`,
    update: `
      update ${table} as recorded
      set outcome = again.outcome, reason = again.reason, error = again.error, changes = again.changes,
          type = again.type, resource = again.resource, resource_id = again.resource_id
      from (
        select id, type, resource, resource_id, outcome, reason, error, ${sliceOfBytes('changes')} as changes
        from ${recordset({ id: 'text', type: 'text', resource: 'text', resource_id: 'text', ...OUTCOME, ...place('changes') })}
      ) as again
      where recorded.id = again.id`,
  }
}

const OUTCOME = { outcome: 'text', reason: 'text', error: 'text' } as const

function eventStatement(table: string, schema: string): RowsStatement {
  const columns = {
    id: 'text',
    type: 'text',
    resource: 'text',
    resource_id: 'text',
    instance_id: 'text',
    occurred_at: 'timestamptz',
    ...OUTCOME,
    redacted: 'boolean',
  }
  const names = Object.keys(columns)
  const places = { ...place('changes'), ...place('body'), ...place('sha256'), ...place('secret') }
  const types = { ...columns, ...places }
  const bytes = parameterAfter(types)
  // Another server may record the same delivery at the same moment: then this one was a duplicate after all.
  const text = prepared(`
    with written as (
      insert into ${table} as recorded (${names}, changes, body, body_sha256, secret_body)
      select ${names}, ${sliceOfBytes('changes', bytes)}, ${slice('body', bytes)}, ${slice('sha256', bytes)},
        ${slice('secret', bytes)}
      from ${columnArrays(types)}
      on conflict (id) do update set deliveries = recorded.deliveries + 1, last_delivered_at = now()
      returning id, outcome, source, occurred_at, xmax = 0 as inserted
    ), counted as (
      ${addToMinutes(schema, "case when inserted then outcome else 'duplicate' end", LAG_STEP, 'count(*)')}
      from written group by 3, 4 order by 3, 4 ${ON_MINUTE}
    )
    select id, inserted from written`)
  return { text, types }
}

/** Connections that meet in a row wait for each other's commit; these many rarely do. */
const SHARDS = 16

/** Only Svix's deliveries are late; a clock that is behind counts as no lag. */
const LAG_STEP = `case when inserted and source = 'webhook'
  then floor(${2 / Math.LN2} * ln(greatest(1, extract(epoch from now() - occurred_at)::float8 * 1000)))
  else -1 end`

/** Counts events of this minute, in the transaction that records them, so that nobody ever has to count them. */
function addToMinutes(schema: string, outcome: string, lagStep: string, events: string): string {
  return `
    insert into ${qualify(schema, 'event_minutes')} as minutes (minute, shard, outcome, lag_step, events)
    select date_trunc('minute', now()), pg_backend_pid() % ${SHARDS}, ${outcome}, ${lagStep}, ${events}`
}

const ON_MINUTE = `
  on conflict (minute, shard, outcome, lag_step) do update set events = minutes.events + excluded.events`

function sqlTypes(columns: Columns): Types {
  return Object.fromEntries(Object.entries(columns).map(([name, { sqlType }]) => [name, sqlType]))
}

/** The rows of the JSON parameter. */
function recordset(types: Types, alias = 'row'): string {
  const columns = Object.entries(types).map(([name, type]) => `${quoteIdentifier(name)} ${type}`)
  return `json_to_recordset($1::json) as ${quoteIdentifier(alias)}(${columns})`
}

/** The rows of the parameters that hold one column each. */
function columnArrays(types: Types): string {
  const arrays = Object.values(types).map((type, index) => `$${index + 1}::${type}[]`)
  return `unnest(${arrays}) as "row"(${Object.keys(types).map(quoteIdentifier)})`
}

function parameterAfter(types: Types): string {
  return `$${Object.keys(types).length + 1}`
}

function tombstones(alias = 'row'): string {
  return recordset({ id: 'text', deleted_at: 'timestamptz', event_id: 'text', instance_id: 'text' }, alias)
}

/** The columns that tell where in the binary parameter a row's bytes are; null means: none. */
function place(name: string): Types {
  return { [`${name}_at`]: 'integer', [`${name}_size`]: 'integer' }
}

const BYTES_PLACE = place('raw')

function slice(name: string, parameter = '$2'): string {
  return `substring(${parameter}::bytea from ${name}_at for ${name}_size)`
}

function sliceOfBytes(name: string, parameter = '$2'): string {
  return `convert_from(${slice(name, parameter)}, 'UTF8')::json`
}
