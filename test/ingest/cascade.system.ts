/**
 * Deleting what has more dependants than one transaction should change.
 *
 * MEMBERSHIPS=1000000 npx vitest run test/ingest/cascade.system.ts does it with as many as the largest organizations have.
 */

import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const MEMBERSHIPS = Number(process.env.MEMBERSHIPS ?? 5_000)
const T = 1_800_000_000_000

describeEachDatabase('deleting a huge organization', (database) => {
  async function fill(sync: ClerkSync, organization: string): Promise<void> {
    await deliver(sync, eventOf('organization.created', { id: organization }))
    const table = sql.id(sync.location.schema, 'organization_memberships')
    await sql`insert into ${table} (id, organization_id, observed_at)
      select ${organization} || '_member' || number, ${organization}, now() from generate_series(1, ${sql.lit(MEMBERSHIPS)}) as number`.execute(
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
