/**
 * Deleting what has more dependants than one transaction should change.
 *
 * MEMBERSHIPS=1000000 npx vitest run test/ingest/cascade.system.ts does it with as many as the largest organizations have.
 */

import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'

const MEMBERSHIPS = Number(process.env.MEMBERSHIPS ?? 5_000)
const T = 1_800_000_000_000

async function fill(sync: ClerkSync, organization: string, count = MEMBERSHIPS): Promise<void> {
  await deliver(sync, eventOf('organization.created', { id: organization }))
  const table = sql.id(sync.location.schema, 'organization_memberships')
  await sql`insert into ${table} (id, organization_id, observed_at)
    select ${organization} || '_member' || number, ${organization}, now() from generate_series(1, ${sql.lit(count)}) as number`.execute(
    sync.database,
  )
}

async function alive(sync: ClerkSync, organization: string): Promise<number> {
  const { count } = await sync.database
    .selectFrom('organization_memberships')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('organization_id', '=', organization)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(count)
}

describeEachDatabase('deleting a huge organization', (database) => {
  const remove = (sync: ClerkSync, id: string) => deliver(sync, eventOf('organization.deleted', { id }, T))

  it('is acknowledged at once, and a job goes on with its memberships', { timeout: 600_000 }, async () => {
    const sync = await database.open()
    await fill(sync, 'org_huge')
    const startedAt = performance.now()
    expect(await remove(sync, 'org_huge')).toMatchObject({ outcome: 'applied' })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await expect.poll(() => alive(sync, 'org_huge'), { timeout: 500_000 }).toBe(0)
    await expect
      .poll(async () => sync.database.selectFrom('jobs').select(['kind', 'status', 'progress']).execute())
      .toEqual([{ kind: 'cascade', status: 'complete', progress: { deleted: MEMBERSHIPS } }])
  })

  it('goes on in another process, and takes along what arrives in between', {
    timeout: 600_000,
  }, async () => {
    const sync = await database.open()
    await fill(sync, 'org_left')
    await remove(sync, 'org_left')
    // As kill -9 does, but that the connection is in order: what is pending is in the table, and nowhere else.
    await sync.close()
    const other = await database.open()
    const late = eventOf('organizationMembership.created', {
      id: 'org_left_late',
      organization: { id: 'org_left', object: 'organization' },
    })
    await deliver(other, late)
    await other.maintain()
    await expect.poll(() => alive(other, 'org_left'), { timeout: 500_000 }).toBe(0)
  })
})

describeWithPostgres('deleting a huge organization', (url) => {
  const database = postgresDatabase(url)

  it('reads each membership a few times, however many batches it takes', { timeout: 120_000 }, async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const count = 4 * MEMBERSHIPS
    await fill(sync, 'org_read', count)
    await sql`analyze ${sql.id(schema, 'organization_memberships')}`.execute(sync.database)
    await deliver(sync, eventOf('organization.deleted', { id: 'org_read' }, T))
    await expect
      .poll(async () => sync.database.selectFrom('jobs').select('status').execute(), { timeout: 60_000 })
      .toEqual([{ status: 'complete' }])
    await sync.close()
    const reader = await database.open()
    const { rows } = await sql<{ read: number }>`
      select sum(idx_tup_read)::integer as read from pg_stat_user_indexes
      where schemaname = ${schema} and relname = 'organization_memberships'`.execute(reader.database)
    expect(rows[0]?.read).toBeGreaterThanOrEqual(count)
    expect(rows[0]?.read).toBeLessThan(4 * count)
  })
})

describeWithPostgres('a server that is killed while it goes on with a huge deletion', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  it('leaves it to the next one, which ends it and counts on', { timeout: 120_000 }, async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const count = 4 * MEMBERSHIPS
    await fill(sync, 'org_killed', count)
    const start = async () => {
      const server = await startCli(['--no-dashboard', '--schema', schema], {
        cwd: await folder(),
        env: { DATABASE_URL: url },
      })
      onTestFinished(() => void server.stop('SIGKILL'))
      return server
    }
    const first = await start()
    const { headers, body } = sign(eventOf('organization.deleted', { id: 'org_killed' }, T))
    const { status } = await fetch(first.url, { method: 'POST', headers, body })
    expect(status).toBe(200)
    await vi.waitFor(async () => expect(await alive(sync, 'org_killed')).toBeLessThan(count), {
      timeout: 20_000,
      interval: 5,
    })
    await first.stop('SIGKILL')
    // There is something left to do, and somebody who does it.
    expect(await alive(sync, 'org_killed')).toBeGreaterThan(0)
    const second = await start()
    await expect.poll(() => alive(sync, 'org_killed'), { timeout: 60_000 }).toBe(0)
    await expect
      .poll(async () => sync.database.selectFrom('jobs').select(['kind', 'status']).execute())
      .toEqual([{ kind: 'cascade', status: 'complete' }])
    const { progress } = await sync.database.selectFrom('jobs').select('progress').executeTakeFirstOrThrow()
    // A batch may have been committed and not yet counted.
    expect((progress as { deleted: number }).deleted).toBeGreaterThanOrEqual(count - 1_000)
    expect((await second.stop()).code).toBe(0)
  })
})
