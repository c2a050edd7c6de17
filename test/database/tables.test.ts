/** What people see of the tables when they query them with types. `tsc` is what fails here; the queries run as well. */

import { randomBytes } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  type ClerkSchema,
  type ClerkSync,
  type ClerkTables,
  createClerkSync,
  type EventsTable,
  type MirroredRow,
} from '../../src/index.ts'
import { describeWithPostgres, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

interface Project {
  id: number
  owner_id: string
}

type Mine = ClerkSchema<'clerk'> & { projects: Project }

describe('the types of the tables', () => {
  it('name every table, alone and with its schema', () => {
    expectTypeOf<Exclude<keyof ClerkTables, `${string}_live`>>().toEqualTypeOf<
      | 'users'
      | 'organizations'
      | 'organization_memberships'
      | 'organization_invitations'
      | 'organization_domains'
      | 'roles'
      | 'permissions'
      | 'sessions'
      | 'invitations'
      | 'waitlist_entries'
      | 'emails'
      | 'sms_messages'
      | 'subscriptions'
      | 'subscription_items'
      | 'payment_attempts'
      | 'email_addresses'
      | 'phone_numbers'
      | 'web3_wallets'
      | 'passkeys'
      | 'external_accounts'
      | 'saml_accounts'
      | 'enterprise_accounts'
      | 'statements'
      | 'plans'
      | 'prices'
      | 'credit_balances'
      | 'role_sets'
      | 'enterprise_connections'
      | 'directories'
      | 'directory_group_role_mappings'
      | 'oauth_applications'
      | 'machines'
      | 'm2m_tokens'
      | 'api_keys'
      | 'trusted_devices'
      | 'allowlist_identifiers'
      | 'blocklist_identifiers'
      | 'plan_features'
      | 'events'
      | 'event_bodies'
      | 'event_changes'
      | 'maintenance'
      | 'retention_log'
      | 'handler_runs'
      | 'handler_workers'
      | 'handlers'
      | 'jobs'
      | 'sweep_seen_ids'
      | 'sweep_starts'
      | 'pending_verifications'
      | 'pending_cascades'
      | 'tombstones'
      | 'api_budgets'
      | 'event_minutes'
      | 'event_spans'
      | 'refusals'
      | 'releases'
      | 'failure_mutes'
      | 'alerts'
      | 'audit_log'
    >()
    expectTypeOf<ClerkTables['users_live']>().toEqualTypeOf<ClerkTables['users']>()
    expectTypeOf<ClerkTables['plan_features']['plan_id']>().toEqualTypeOf<string>()
    expectTypeOf<ClerkTables['plans']['fee_amount']>().toEqualTypeOf<number | null>()
    expectTypeOf<keyof ClerkSchema<'auth'>>().toExtend<`auth.${keyof ClerkTables}`>()
    expectTypeOf<ClerkSchema<'auth'>['auth.events']>().toEqualTypeOf<EventsTable>()
  })

  it('give each column its type, which can be null but for the keys', () => {
    type Users = ClerkTables['users']
    expectTypeOf<Users['id']>().toEqualTypeOf<string>()
    expectTypeOf<Users['banned']>().toEqualTypeOf<boolean | null>()
    expectTypeOf<Users['last_sign_in_at']>().toEqualTypeOf<Date | null>()
    expectTypeOf<Users['create_organizations_limit']>().toEqualTypeOf<number | null>()
    expectTypeOf<Users['public_metadata']>().toEqualTypeOf<Record<string, unknown> | null>()
    expectTypeOf<ClerkTables['organization_memberships']['permissions']>().toEqualTypeOf<string[] | null>()
    expectTypeOf<ClerkTables['email_addresses']['user_id']>().toEqualTypeOf<string>()
    expectTypeOf<Users>().toExtend<MirroredRow>()
    // @ts-expect-error a user's row has no such column
    expectTypeOf<Users['email']>().toBeNever()
  })

  it('narrow the columns of a query', () => {
    const query = (db: Kysely<Mine>) =>
      db
        .selectFrom('clerk.users')
        .innerJoin('projects', 'projects.owner_id', 'clerk.users.id')
        .where('clerk.users.deleted_at', 'is', null)
        .select([
          'clerk.users.id',
          'primary_email_address',
          'clerk.users.deleted_at as gone',
          'projects.id as project',
        ])
        .executeTakeFirstOrThrow()
    expectTypeOf(query).returns.resolves.toEqualTypeOf<{
      id: string
      primary_email_address: string | null
      gone: Date | null
      project: number
    }>()
    const wrong = (db: Kysely<Mine>) => [
      // @ts-expect-error there is no such table
      db.selectFrom('clerk.persons'),
      // @ts-expect-error there is no such column
      db.selectFrom('clerk.users').select('email'),
      // @ts-expect-error it is a date
      db.selectFrom('clerk.users').where('deleted_at', '=', true),
    ]
    expectTypeOf(wrong).toBeFunction()
  })

  it('let `sync.database` speak of tables without a schema', () => {
    const query = (sync: ClerkSync) =>
      sync.database.selectFrom('events').select(['outcome', 'deliveries', 'body_sha256']).execute()
    expectTypeOf(query).returns.resolves.toEqualTypeOf<
      { outcome: EventsTable['outcome']; deliveries: number; body_sha256: Buffer }[]
    >()
  })
})

describeWithPostgres('a Kysely of one’s own', (url) => {
  it('queries the tables beside its own', async () => {
    const schema = `test_${randomBytes(6).toString('hex')}`
    const sync = createClerkSync({ signingSecret: SECRET, database: url, schema, log: silent })
    const pool = new pg.Pool({ connectionString: url })
    // The literal type of a schema whose name is only known now.
    const db = new Kysely<ClerkSchema<'clerk'>>({ dialect: new PostgresDialect({ pool }) })
    const table = `${schema}.users` as 'clerk.users'
    await sync.migrate()
    await deliver(
      sync,
      eventOf('user.created', { id: 'user_mine', public_metadata: { plan: 'pro' }, banned: false }),
    )
    const row = await db
      .selectFrom(table)
      .select(['id', 'banned', 'public_metadata', 'clerk_updated_at'])
      .executeTakeFirstOrThrow()
    expect(row).toEqual({
      id: 'user_mine',
      banned: false,
      public_metadata: { plan: 'pro' },
      clerk_updated_at: expect.any(Date),
    })
    await db.schema.dropSchema(schema).cascade().execute()
    await db.destroy()
    await sync.close()
  })
})
