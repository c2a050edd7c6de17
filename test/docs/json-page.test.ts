import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { type CliProcess, callCli, jsonLines, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, type SignOptions, sign } from '../support/deliveries.ts'
import { renderShape, shapeOf } from '../support/json-shape.ts'

const CONFIG = fileURLToPath(new URL('../cli/handlers-config.ts', import.meta.url))

const INTRODUCTION = `# JSON of the command line

Every command takes \`--json\`: it prints one JSON object per line to standard output, and nothing for people. Times are ISO 8601
in UTC, durations are in milliseconds. Exit codes are 0 for success, 1 for a failure, 2 for a wrong command line, 3 for problems
that were found.

A field with \`?\` is left out where it does not apply. New fields may be added in a minor version; none of these is removed or
changes its type before a major one.

This page is read from what the commands print: a test runs each of them and compares.
`

/** What takes days, an outage or another program to come about: `SCHEMA` is replaced. */
const RARE_STATES = `
  update SCHEMA.events set traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    where id = 'msg_twice';
  insert into SCHEMA.failure_mutes select handler, fingerprint, now() + interval '1 day' from SCHEMA.handler_runs
    where fingerprint is not null and handler = 'shelve' on conflict do nothing;
  insert into SCHEMA.releases values ('1.4.2', now() - interval '1 hour');
  insert into SCHEMA.alerts (name, began_at, summary, failed_at, failure)
    values ('dead_letters', now(), '1 run is dead', now(), '127.0.0.1 refused the connection');
`
const BACKFILLS_RUN = `
  insert into SCHEMA.jobs (id, kind, status, scope, progress, worker, lease_until)
    select id, kind, 'running', '{"resources": ["users"]}', progress::jsonb, 'another', now() + interval '1 hour'
    from (values ('job_1', 'backfill', '{"users": {"status": "running", "listed": 500, "expected": 1000}}'),
      ('job_2', 'reconcile', '{}')) as jobs(id, kind, progress);
  insert into SCHEMA.audit_log (id, actor, role, action, target, succeeded)
    values ('audit_1', 'ada', 'admin', 'job_started', 'jobs/job_1', true);
`
const PARTITION_MISSING = `
  do $$ begin
    execute format('drop table SCHEMA.%I', (select max(relname) from pg_class
      where relnamespace = 'SCHEMA'::regnamespace and relname ~ '^event_bodies_[0-9]{8}_[0-9]{8}$'));
  end $$;
`
const BODY_FORGOTTEN = `
  delete from SCHEMA.event_bodies where event_id = 'msg_forgotten';
  insert into SCHEMA.retention_log values ('event_bodies', now());
`

/** Their keys are names of tables, kinds, codes or fields. */
const MAPS =
  /(^|\.)(resources|forgotten|rows|texts|kinds|causes|fields|headers|outcomes|metadata|changes|reasons)$/

describeWithPostgres('docs/json.md', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  const clerk = createSimulatedClerk({ seed: 5 })
  let api: BackendApi
  const early = new Map<string, Record<string, unknown>[]>()
  let server: CliProcess
  let opened: ReturnType<typeof database.open>

  const environment = async () => ({
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
    CLERK_SYNC_CONFIG: CONFIG,
    CLERK_SECRET_KEY: api.secretKey,
    CLERK_API_URL: api.url,
  })

  const records = async (...args: string[]) => {
    const { stdout } = await callCli([...args, '--json'], { cwd: await folder(), env: await environment() })
    return jsonLines(stdout)
  }

  const execute = async (statements: string) => {
    const { schema } = await database.location()
    await sql.raw(statements.replaceAll('SCHEMA', schema)).execute((await opened).database)
  }

  const post = async (route: string, event: unknown, options?: SignOptions) => {
    const { body, headers } = sign(event, options)
    expect(await fetch(route, { method: 'POST', body, headers })).toMatchObject({ status: 200 })
  }

  /** Events that were applied, late, repeated and refused, one whose body is gone, and one with secrets. */
  async function deliverAll(route: string) {
    const userAt = (first_name: string, timestamp: number) =>
      eventOf('user.updated', { id: 'user_json', first_name }, timestamp)
    await execute(`alter table SCHEMA.users add constraint no_poison check (username <> 'poison')`)
    await post(route, eventOf('user.created', { id: 'user_poison', username: 'poison' }))
    await post(route, eventOf('user.created', { id: 'user_named' }))
    await post(route, userAt('Ada', 1_760_000_000_000))
    await post(route, userAt('Bea', 1_760_000_002_000), { id: 'msg_twice' })
    await post(route, userAt('Bea', 1_760_000_002_000), { id: 'msg_twice' })
    await post(route, userAt('late', 1_760_000_001_000))
    await post(route, userAt('Cleo', 1_760_000_003_000), { id: 'msg_forgotten' })
    await execute(BODY_FORGOTTEN)
    await post(route, eventOf('email.created'))
    await server.until(/"type":"handler"[^\n]*"handler":"mail"/)
  }

  beforeAll(async () => {
    for (let action = 0; action < 30; action++) clerk.act()
    api = await startBackendApi(clerk, { rateLimit: null, disabled: { waitlist: 'not_enabled' } })
    for (const args of [['migrate', '--check'], ['migrate'], ['status']])
      early.set(args.join(' '), await records(...args))
    opened = database.open()
    server = await startCli(['--json', '--reconcile-every', 'off'], {
      cwd: await folder(),
      env: await environment(),
    })
  })
  afterAll(async () => {
    await server.stop()
    await api.close()
  })

  /** The records of a command, by what each is. */
  async function collect(): Promise<Map<string, Record<string, unknown>[]>> {
    const found = new Map<string, Record<string, unknown>[]>()
    const keep = (name: string, lines: Record<string, unknown>[]) =>
      found.set(name, [...(found.get(name) ?? []), ...lines])
    for (const [name, lines] of early) keep(name, lines)
    const { url: route } = server
    keep('trigger', await records('trigger', 'user.created', 'user.updated', '--to', route))
    keep('trigger', await records('trigger', 'user.created', '--forge', '--to', `${route}/nowhere`))
    keep('trigger', await records('trigger', 'user.created', '--forge', '--to', route))
    keep('trigger', await records('trigger', 'user.created', '--to', 'http://127.0.0.1:9'))
    keep('trigger --print', await records('trigger', 'user.created', '--print'))
    await server.until(/"type":"handler"[^\n]*"ending":"dead"/)
    await server.until(/"type":"handler"[^\n]*"ending":"handled"/)
    await deliverAll(server.url)
    keep('status', await records('status'))
    await execute(RARE_STATES)
    keep('events replay', await records('events', 'replay', '--all', '--yes'))
    const events = await records('events', 'list')
    keep('events list', events)
    for (const { id } of events) keep('events show', await records('events', 'show', id as string))
    keep('failures list', await records('failures', 'list'))
    keep('failures retry', await records('failures', 'retry', '--all', '--yes', '--rate', '100'))
    keep('failures retry --dry-run', await records('failures', 'retry', '--all', '--dry-run'))
    keep('handlers list', await records('handlers', 'list'))
    keep('handlers pause', await records('handlers', 'pause', 'mail', '--reason', 'mail server'))
    keep('handlers list', await records('handlers', 'list'))
    keep('backfill', await records('backfill', 'users', 'sessions'))
    keep('backfill', await records('backfill', 'waitlist_entries'))
    clerk.act('updateUser')
    clerk.advanceTo(clerk.now + 5_000)
    keep('reconcile', await records('reconcile', '--dry-run', 'users'))
    keep('reconcile', await records('reconcile', 'users', 'waitlist_entries'))
    await records('handlers', 'pause', 'greet', '--reason', 'wait for user_named')
    await post(route, eventOf('user.created'))
    await execute(BACKFILLS_RUN)
    keep('status', await records('status'))
    keep('doctor', await records('doctor', '--offline'))
    keep('maintain', await records('maintain', '--dry-run'))
    await execute(PARTITION_MISSING)
    keep('maintain', await records('maintain'))
    // The reason of the pause names it.
    keep('erase', await records('erase', 'user_named', '--dry-run'))
    keep('erase', await records('erase', 'user_named', '--yes'))
    keep('config', await records('config'))
    keep('explain', await records('explain'))
    keep('schema', await records('schema', '--sql'))
    const { stdout } = await server.stop()
    // A busy machine makes it warn.
    keep(
      'start',
      jsonLines(stdout).filter(({ type }) => type !== 'log'),
    )
    found.delete('handlers pause')
    return found
  }

  it('is what the commands print; else run `npx vitest run test/docs/json-page.test.ts -u`', async () => {
    const sections = [...(await collect())].map(([command, lines]) => {
      const byType = Map.groupBy(lines, ({ type }) =>
        typeof type === 'string' && !type.includes('.') ? type : '',
      )
      const types = [...byType].map(([type, each]) => {
        const shape = renderShape(shapeOf(each, (path) => MAPS.test(path)))
        const text = type === '' ? shape : shape.replace('type: string', `type: '${type}'`)
        return `\`\`\`ts\ntype Line = ${text}\n\`\`\`\n`
      })
      return `## clerk-sync ${command}\n\n${types.join('\n')}`
    })
    const { stderr } = await callCli(['explain', 'nothing', '--json'], { cwd: await folder() })
    const error = renderShape(shapeOf(jsonLines(stderr), () => false))
    const errors = `## Errors\n\nA command that fails prints this to standard error; \`clerk-sync explain CODE\` tells more.\n\n\`\`\`ts\ntype Failure = ${error}\n\`\`\`\n`
    const page = `${[INTRODUCTION, ...sections, errors].join('\n')}`
    expect(page.match(/unknown|\{\s*\}/g)).toBeNull()
    await expect(page).toMatchFileSnapshot('../../docs/json.md')
  })
})
