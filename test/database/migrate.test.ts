import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHILD_SETS, RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Columns } from '../../src/clerk/resource.ts'
import { MIGRATION_NAMES } from '../../src/database/migrate.ts'
import type {
  AlertsTable,
  ApiBudgetsTable,
  AuditLogTable,
  EventBodiesTable,
  EventChangesTable,
  EventMinutesTable,
  EventSpansTable,
  EventsTable,
  FailureMutesTable,
  HandlerRunsTable,
  HandlersTable,
  HandlerWorkersTable,
  JobsTable,
  MaintenanceTable,
  PendingCascadesTable,
  PendingVerificationsTable,
  RefusalsTable,
  ReleasesTable,
  RetentionLogTable,
  SweepSeenIdsTable,
  SweepStartsTable,
  TombstonesTable,
} from '../../src/database/tables.ts'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import {
  describeEachDatabase,
  describeWithPostgres,
  SECRET,
  silent,
  type TestDatabase,
} from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { startProcess } from './processes.ts'

const SQL_TYPES: Readonly<Record<string, string>> = { timestamptz: 'timestamp with time zone' }

/** Column by name, with its type as Postgres spells it. */
type Table = Record<string, string>

const STANDARD: Table = {
  clerk_created_at: 'timestamp with time zone',
  clerk_updated_at: 'timestamp with time zone',
  deleted_at: 'timestamp with time zone',
  synced_at: 'timestamp with time zone',
  instance_id: 'text',
}

/** Not of the members of a set: these are in their parent's row. */
const WHOLE: Table = {
  raw: 'json',
  observed_at: 'timestamp with time zone',
  event_id: 'text',
  erased_at: 'timestamp with time zone',
}

function tableOf(columns: Columns, key: Table): Table {
  const own = Object.entries(columns).map(([name, { sqlType }]) => [name, SQL_TYPES[sqlType] ?? sqlType])
  return { ...key, ...Object.fromEntries(own), ...STANDARD }
}

const ALERTS: Readonly<Record<keyof AlertsTable, string>> = {
  name: 'text',
  began_at: 'timestamp with time zone',
  ended_at: 'timestamp with time zone',
  summary: 'text',
  begin_sent_at: 'timestamp with time zone',
  end_sent_at: 'timestamp with time zone',
  sending_until: 'timestamp with time zone',
  failed_at: 'timestamp with time zone',
  failure: 'text',
}

/** The compiler wants one for each column that people can query. */
const EVENTS: Readonly<Record<keyof EventsTable, string>> = {
  id: 'text',
  type: 'text',
  resource: 'text',
  resource_id: 'text',
  instance_id: 'text',
  occurred_at: 'timestamp with time zone',
  received_at: 'timestamp with time zone',
  outcome: 'text',
  reason: 'text',
  error: 'text',
  deliveries: 'integer',
  last_delivered_at: 'timestamp with time zone',
  body_conflict: 'boolean',
  body_sha256: 'bytea',
  redacted: 'boolean',
  replayed_at: 'timestamp with time zone',
  source: 'text',
  traceparent: 'text',
  secret_body: 'bytea',
}

const EVENT_BODIES: Readonly<Record<keyof EventBodiesTable, string>> = {
  event_id: 'text',
  filed_at: 'timestamp with time zone',
  body: 'bytea',
}

const EVENT_CHANGES: Readonly<Record<keyof EventChangesTable, string>> = {
  event_id: 'text',
  filed_at: 'timestamp with time zone',
  changes: 'json',
}

const HANDLER_RUNS: Readonly<Record<keyof HandlerRunsTable, string>> = {
  event_id: 'text',
  handler: 'text',
  status: 'text',
  attempts: 'integer',
  due_at: 'timestamp with time zone',
  claim: 'text',
  worker: 'text',
  order_key: 'text',
  occurred_at: 'timestamp with time zone',
  created_at: 'timestamp with time zone',
  started_at: 'timestamp with time zone',
  finished_at: 'timestamp with time zone',
  error: 'text',
  fingerprint: 'text',
  history: 'json',
  note: 'text',
}

const HANDLERS: Readonly<Record<keyof HandlersTable, string>> = {
  name: 'text',
  paused_at: 'timestamp with time zone',
  pause_reason: 'text',
}

const HANDLER_WORKERS: Readonly<Record<keyof HandlerWorkersTable, string>> = {
  id: 'text',
  lease_until: 'timestamp with time zone',
  has_ended: 'boolean',
}

const JOBS: Readonly<Record<keyof JobsTable, string>> = {
  id: 'text',
  kind: 'text',
  status: 'text',
  scope: 'jsonb',
  checkpoint: 'jsonb',
  progress: 'jsonb',
  report: 'jsonb',
  error: 'jsonb',
  worker: 'text',
  lease_until: 'timestamp with time zone',
  runs: 'integer',
  created_at: 'timestamp with time zone',
  started_at: 'timestamp with time zone',
  updated_at: 'timestamp with time zone',
  finished_at: 'timestamp with time zone',
}

const SWEEP_SEEN_IDS: Readonly<Record<keyof SweepSeenIdsTable, string>> = {
  job_id: 'text',
  resource: 'text',
  id: 'text',
}

const SWEEP_STARTS: Readonly<Record<keyof SweepStartsTable, string>> = {
  resource: 'text',
  instance_id: 'text',
  started_at: 'timestamp with time zone',
}

const PENDING_VERIFICATIONS: Readonly<Record<keyof PendingVerificationsTable, string>> = {
  resource: 'text',
  id: 'text',
  asked_at: 'timestamp with time zone',
}

const PENDING_CASCADES: Readonly<Record<keyof PendingCascadesTable, string>> = {
  resource: 'text',
  parent_column: 'text',
  parent_id: 'text',
  after_id: 'text',
}

const MAINTENANCE: Readonly<Record<keyof MaintenanceTable, string>> = {
  id: 'integer',
  holder: 'text',
  lease_until: 'timestamp with time zone',
  ended_at: 'timestamp with time zone',
}

const RETENTION_LOG: Readonly<Record<keyof RetentionLogTable, string>> = {
  part: 'text',
  received_before: 'timestamp with time zone',
  forgotten_at: 'timestamp with time zone',
}

const TOMBSTONES: Readonly<Record<keyof TombstonesTable, string>> = {
  resource: 'text',
  id: 'text',
  deleted_at: 'timestamp with time zone',
  event_id: 'text',
  instance_id: 'text',
}

const API_BUDGETS: Readonly<Record<keyof ApiBudgetsTable, string>> = {
  key: 'text',
  next_at: 'timestamp with time zone',
}

const EVENT_MINUTES: Readonly<Record<keyof EventMinutesTable, string>> = {
  minute: 'timestamp with time zone',
  backend: 'integer',
  outcome: 'text',
  lag_step: 'smallint',
  events: 'integer',
}

const EVENT_SPANS: Readonly<Record<keyof EventSpansTable, string>> = {
  span: 'timestamp with time zone',
  outcome: 'text',
  lag_step: 'smallint',
  events: 'integer',
}

const REFUSALS: Readonly<Record<keyof RefusalsTable, string>> = {
  minute: 'timestamp with time zone',
  code: 'text',
  requests: 'integer',
  last_at: 'timestamp with time zone',
  message: 'text',
  request: 'json',
}

const RELEASES: Readonly<Record<keyof ReleasesTable, string>> = {
  release: 'text',
  started_at: 'timestamp with time zone',
}

const FAILURE_MUTES: Readonly<Record<keyof FailureMutesTable, string>> = {
  handler: 'text',
  fingerprint: 'text',
  until: 'timestamp with time zone',
}

const AUDIT_LOG: Readonly<Record<keyof AuditLogTable, string>> = {
  id: 'text',
  at: 'timestamp with time zone',
  actor: 'text',
  role: 'text',
  action: 'text',
  target: 'text',
  reason: 'text',
  details: 'jsonb',
  succeeded: 'boolean',
}

/** The tables that are no mirrors; their indexes are not the catalogue's. */
const OWN = {
  events: EVENTS,
  event_bodies: EVENT_BODIES,
  event_changes: EVENT_CHANGES,
  handler_runs: HANDLER_RUNS,
  handlers: HANDLERS,
  handler_workers: HANDLER_WORKERS,
  jobs: JOBS,
  sweep_seen_ids: SWEEP_SEEN_IDS,
  sweep_starts: SWEEP_STARTS,
  pending_verifications: PENDING_VERIFICATIONS,
  pending_cascades: PENDING_CASCADES,
  tombstones: TOMBSTONES,
  maintenance: MAINTENANCE,
  retention_log: RETENTION_LOG,
  api_budgets: API_BUDGETS,
  event_minutes: EVENT_MINUTES,
  event_spans: EVENT_SPANS,
  refusals: REFUSALS,
  releases: RELEASES,
  failure_mutes: FAILURE_MUTES,
  alerts: ALERTS,
  audit_log: AUDIT_LOG,
}

const EXPECTED = new Map<string, Table>([
  ...[...RESOURCES.values()].map(
    ({ table, columns }) => [table, { ...tableOf(columns, { id: 'text' }), ...WHOLE }] as const,
  ),
  ...Object.values(CHILD_SETS).map(
    ({ table, parentColumn, columns }) =>
      [table, tableOf(columns, { [parentColumn]: 'text', id: 'text' })] as const,
  ),
  ...Object.entries(OWN),
])

const MIRRORED = [...RESOURCES.keys(), ...Object.keys(CHILD_SETS)]

/** The SQL for the catalogue as it is now. */
const ddl = execFileSync(process.execPath, [
  '--no-warnings',
  fileURLToPath(new URL('../../scripts/print-ddl.ts', import.meta.url)),
]).toString()

/** The SQL that a new migration needs, for whoever changed the catalogue. */
function missingSql(table: string, expected: Table, actual: Table | undefined): string {
  const create =
    new RegExp(`create table ${table} \\([^;]*;(\ncreate index on ${table} [^;]*;)*`).exec(ddl)?.[0] ?? ''
  const added = Object.keys(expected)
    .filter((column) => actual?.[column] === undefined)
    .map(
      (column) =>
        `alter table ${table} add column ${new RegExp(`^  (${column} .*?),?$`, 'm').exec(create)?.[1]};`,
    )
  const statements = actual === undefined ? [create] : added
  return `The catalogue and the migrated table "${table}" differ. A new migration needs:\n${statements.join('\n')}\n`
}

async function tablesIn(sync: ClerkSync): Promise<Map<string, Table>> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select table_name as table, column_name as column, data_type as type
    from information_schema.columns where table_schema = ${sync.location.schema} and table_name not in (
      select relname from pg_class join pg_namespace as space on space.oid = relnamespace
      where relispartition and nspname = ${sync.location.schema}
    )`.execute(sync.database)
  const byTable = Map.groupBy(rows, (row) => row.table)
  return new Map(
    [...byTable].map(([table, columns]) => [
      table,
      Object.fromEntries(columns.map(({ column, type }) => [column, type])),
    ]),
  )
}

describeEachDatabase('the migrated database', (database) => {
  let sync: ClerkSync
  let actual: Map<string, Table>
  beforeAll(async () => {
    sync = await database.open()
    actual = await tablesIn(sync)
  })

  it.each([...EXPECTED])('has the columns of %s that the code uses, and no others', (table, expected) => {
    expect(actual.get(table), missingSql(table, expected, actual.get(table))).toEqual(expected)
  })

  it('has no other tables', () => {
    const views = MIRRORED.map((table) => `${table}_live`)
    expect([...actual.keys()].sort()).toEqual([...EXPECTED.keys(), ...views, 'migrations'].sort())
  })

  it.each(MIRRORED)('has a view of %s with its columns', (table) => {
    expect(actual.get(`${table}_live`)).toEqual(actual.get(table))
  })

  it('has views that show nobody more than the tables do', async () => {
    const { rows } = await sql<{ name: string; options: string[] | null }>`
      select relname as name, reloptions as options from pg_class
      where relkind = 'v' and relnamespace = ${sync.location.schema}::regnamespace`.execute(sync.database)
    const unprotected = rows.filter(({ options }) => !options?.includes('security_invoker=true'))
    expect(unprotected).toEqual([])
    expect(rows).toHaveLength(MIRRORED.length)
  })

  it('has the indexes of the catalogue, and no others', async () => {
    const { rows } = await sql<{ definition: string }>`
      select indexdef as definition from pg_indexes
      where schemaname = ${sync.location.schema} and indexname not like '%_pkey'
      and not tablename = any(${Object.keys(OWN)})`.execute(sync.database)
    const existing = rows.map(({ definition }) =>
      definition
        .replace(/^create index .* on (?:only )?.*?\.(\w+) using (\w+) \((.*?)\)( where .*)?$/i, '$1 $2 $3')
        .toLowerCase(),
    )
    const wanted = [...ddl.matchAll(/^create index on (\w+) (using hash )?\((.*?)\)( where .*)?;$/gm)].map(
      ([, table, hash, column]) => `${table} ${hash ? 'hash' : 'btree'} ${column}`,
    )
    expect(existing.sort()).toEqual(wanted.sort())
  })

  it('has nothing left to migrate', async () => {
    expect(await sync.migrate()).toEqual([])
    await sync.check()
  })
})

/** A fresh schema in the database, for a sync of its own. */
function inSchema(location: { database: string }, schema: string): ClerkSync {
  return createClerkSync({ signingSecret: SECRET, log: silent, database: location.database, schema })
}

const freshSchema = () => `test_${randomBytes(6).toString('hex')}`

async function drop(sync: ClerkSync): Promise<void> {
  await sql`drop schema if exists ${sql.id(sync.location.schema)} cascade`.execute(sync.database)
  await sync.close()
}

async function run(
  database: TestDatabase,
  schema: string,
  work: (sync: ClerkSync) => Promise<void>,
): Promise<void> {
  const sync = inSchema(await database.location(), schema)
  try {
    await work(sync)
  } finally {
    await drop(sync)
  }
}

describeEachDatabase('migrating', (database) => {
  it('names what it did, once', async () => {
    await run(database, freshSchema(), async (sync) => {
      expect(await sync.migrate()).toEqual(MIGRATION_NAMES)
      expect(await sync.migrate()).toEqual([])
    })
  })

  it('is safe for twenty calls of several syncs at once: one of them works', async () => {
    const schema = freshSchema()
    const location = await database.location()
    const syncs = Array.from({ length: 5 }, () => inSchema(location, schema))
    const results = await Promise.all(syncs.flatMap((sync) => [1, 2, 3, 4].map(() => sync.migrate())))
    expect(results.flat()).toEqual(MIGRATION_NAMES)
    for (const sync of syncs.slice(1)) await sync.close()
    await drop(syncs[0] as ClerkSync)
  })

  it('leaves nothing behind when it fails, says why, and works after the cause is gone', async () => {
    await run(database, freshSchema(), async (sync) => {
      const conflicting = sql.id(sync.location.schema, 'roles')
      await sql`create schema ${sql.id(sync.location.schema)}`.execute(sync.database)
      await sql`create table ${conflicting} (mine integer)`.execute(sync.database)
      await expect(sync.migrate()).rejects.toMatchObject({
        code: 'migration_failed',
        message: expect.stringContaining('relation "roles" already exists'),
        cause: expect.any(Error),
      })
      expect([...(await tablesIn(sync)).keys()].sort()).toEqual(['roles'])
      await sql`drop table ${conflicting}`.execute(sync.database)
      expect(await sync.migrate()).toEqual(MIGRATION_NAMES)
    })
  })

  it('works beside a newer schema that says nothing of older code', async () => {
    await run(database, freshSchema(), async (sync) => {
      await sync.migrate()
      await sql`insert into ${sql.id(sync.location.schema, 'migrations')} (name, timestamp)
        values ('9999_of_the_future', now()::text)`.execute(sync.database)
      expect(await sync.migrate()).toEqual([])
      await sync.check()
      expect(await deliver(sync, eventOf('user.created'))).toMatchObject({ outcome: 'applied' })
    })
  })

  it('refuses one that has taken away what it needs, and says what to do', async () => {
    await run(database, freshSchema(), async (sync) => {
      await sync.migrate()
      await sql`insert into ${sql.id(sync.location.schema, 'migrations')} (name, oldest_level)
        values ('9999_of_the_future', 9998)`.execute(sync.database)
      const refusal = {
        code: 'database_ahead',
        status: 503,
        message: expect.stringContaining('it needs schema level 9998'),
        remedy: expect.stringContaining('Upgrade'),
      }
      await expect(sync.migrate()).rejects.toMatchObject(refusal)
      if (sync.location.kind === 'postgres') await expect(sync.check()).rejects.toMatchObject(refusal)
    })
  })

  it.each([
    [['0001_mirror_and_ledger']],
    [
      [
        '0001_initial',
        '0002_jobs',
        '0003_handlers',
        '0005_overview',
        '0006_spans',
        '0007_mutes',
        '0008_late',
      ],
    ],
  ])('and refuses tables from before the first release, with the way out: %j', async (names) => {
    await run(database, freshSchema(), async (sync) => {
      await sync.migrate()
      const ran = sql.id(sync.location.schema, 'migrations')
      await sql`delete from ${ran}`.execute(sync.database)
      await sql`insert into ${ran} select unnest(${names}::text[]), ''`.execute(sync.database)
      const refusal = { code: 'database_unreleased', remedy: expect.stringContaining('backfill') }
      await expect(sync.migrate()).rejects.toMatchObject(refusal)
      if (sync.location.kind === 'postgres') await expect(sync.check()).rejects.toMatchObject(refusal)
    })
  })

  it.each(['We ird-Ü', `a"b'; drop schema public; --`, 'ſ'.repeat(22)])(
    'and everything else works in a schema named %s',
    async (name) => {
      await run(database, `${name} ${freshSchema()}`, async (sync) => {
        expect(await sync.migrate()).toEqual(MIGRATION_NAMES)
        await sync.check()
        const { svixId } = await deliver(sync, eventOf('user.created', { id: 'user_odd' }))
        expect(
          await deliver(sync, eventOf('user.created', { id: 'user_odd' }), { id: svixId }),
        ).toMatchObject({ outcome: 'duplicate' })
        expect(
          await deliver(
            sync,
            eventOf('user.updated', { id: 'user_odd', first_name: 'Last', updated_at: Date.now() }),
          ),
        ).toMatchObject({ outcome: 'applied' })
        expect(await deliver(sync, { ...eventOf('user.deleted'), data: { id: 'user_odd' } })).toMatchObject({
          outcome: 'applied',
        })
        expect(await sync.replay({})).toMatchObject({ matched: 3, failed: 0 })
        const rows = await sync.database.selectFrom('users').select(['id', 'first_name']).execute()
        expect(rows).toEqual([{ id: 'user_odd', first_name: 'Last' }])
      })
    },
  )

  it('keeps two schemas of one database apart', async () => {
    await run(database, freshSchema(), async (one) => {
      await run(database, freshSchema(), async (other) => {
        await one.migrate()
        expect([...(await tablesIn(other)).keys()]).toEqual([])
        await other.migrate()
        await deliver(one, eventOf('user.created', { id: 'user_1' }), { id: 'msg_shared' })
        expect(
          await deliver(other, eventOf('user.created', { id: 'user_2' }), { id: 'msg_shared' }),
        ).toMatchObject({ outcome: 'applied' })
        const idsIn = async (sync: ClerkSync) =>
          (await sync.database.selectFrom('users').select('id').execute()).map(({ id }) => id)
        expect([await idsIn(one), await idsIn(other)]).toEqual([['user_1'], ['user_2']])
      })
    })
  })
})

describe('the name of a schema', () => {
  it.each(['', 'x'.repeat(64), 'Ü'.repeat(32), 'a\u0000b'])(
    'cannot be %j: Postgres would cut or refuse it',
    (schema) => {
      expect(() => inSchema({ database: 'memory://' }, schema)).toThrow(
        expect.objectContaining({ code: 'option_invalid' }),
      )
    },
  )
})

describeWithPostgres('migrating a Postgres', (url) => {
  it('is safe for several processes at once', async () => {
    const schema = freshSchema()
    const processes = [1, 2, 3, 4].map(() => startProcess({ command: 'migrate', database: url, schema }))
    const lines = await Promise.all(processes.map((each) => each.next()))
    expect(lines.flatMap((line) => line?.migrated)).toEqual(MIGRATION_NAMES)
    expect(lines.filter((line) => Array.isArray(line?.migrated))).toHaveLength(4)
    await drop(inSchema({ database: url }, schema))
  })

  it('looks at nothing but its own schema: others come and go meanwhile', async () => {
    const sync = inSchema({ database: url }, freshSchema())
    await sync.migrate()
    const pool = new pg.Pool({ connectionString: url })
    const comeAndGo = async () => {
      for (let times = 0; times < 30; times++) {
        const other = sql.id(freshSchema())
        const { sql: create } =
          sql`create schema ${other} create table a (id serial) create table b (id serial)`.compile(
            sync.database,
          )
        const { sql: dropAgain } = sql`drop schema ${other} cascade`.compile(sync.database)
        await pool.query(create)
        await pool.query(dropAgain)
      }
    }
    const checkAlways = async () => {
      for (let times = 0; times < 30; times++) await sync.check()
    }
    await Promise.all([comeAndGo(), comeAndGo(), checkAlways(), checkAlways()])
    await pool.end()
    await drop(sync)
  })

  it('that has no such database says so', async () => {
    const sync = inSchema({ database: new URL('/no_such_database', url).href }, 'clerk')
    const error = { code: 'database_unavailable', message: expect.stringContaining('no_such_database') }
    await expect(sync.migrate()).rejects.toMatchObject(error)
    await expect(sync.check()).rejects.toMatchObject(error)
    await sync.close()
  })

  it('is asked for by every answer as long as it was not done', async () => {
    const sync = inSchema({ database: url }, freshSchema())
    for (const work of [() => deliver(sync, eventOf('user.created')), () => sync.check()]) {
      await expect(work()).rejects.toMatchObject({
        code: 'database_outdated',
        status: 503,
        remedy: expect.stringContaining('clerk-sync migrate'),
      })
    }
    await sync.close()
  })
})

describe('a database that is down', () => {
  const sync = inSchema({ database: 'postgres://postgres@127.0.0.1:9/test' }, 'clerk')
  afterAll(() => sync.close())

  it.each<[string, () => Promise<unknown>]>([
    ['migrating', () => sync.migrate()],
    ['checking', () => sync.check()],
    ['receiving', () => deliver(sync, eventOf('user.created'))],
  ])('is unavailable when %s, and not anything else', async (_, work) => {
    await expect(work()).rejects.toMatchObject({
      code: 'database_unavailable',
      status: 503,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
