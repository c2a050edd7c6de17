/** The page on own tables, step by step, on a table that a hand-written handler has filled. */

import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { readBlocks } from './code-blocks.ts'
import { createSupabaseRoles } from './supabase.ts'

const database = embeddedDatabase()
let sync: ClerkSync

const blocks = readBlocks().filter(
  ({ page, language }) => page === 'docs/your-tables.md' && language === 'sql',
)

/** Runs the page's statement that begins so. */
async function step(beginning: string): Promise<unknown[]> {
  const found = blocks.filter(({ code }) => code.startsWith(beginning))
  expect(found.map(({ code }) => code.slice(0, beginning.length))).toEqual([beginning])
  return (await sql.raw(found[0]?.code ?? '').execute(sync.database)).rows
}

const emailOf = (id: string, address: string) => ({
  id,
  primary_email_address_id: `${id}_email`,
  email_addresses: [{ id: `${id}_email`, email_address: address }],
})

beforeAll(async () => {
  sync = await database.open()
  await createSupabaseRoles(sync)
  for (const id of ['user_current', 'user_stale', 'user_missing', 'user_deleted'])
    await deliver(
      sync,
      eventOf('user.created', { ...emailOf(id, `${id}@new.example`), first_name: 'Ada', last_name: 'L' }),
    )
  await deliver(sync, eventOf('user.deleted', { id: 'user_deleted' }, Date.now()))
})

it('finds, from a filled table, what moving has to settle, and ends with the same ids and Clerk’s values', async () => {
  await step('create table app_users')
  await sql`insert into app_users (clerk_id, email, name) values
    ('user_current', 'user_current@new.example', 'Ada L'), ('user_stale', 'old@example.com', 'Old'),
    ('user_deleted', 'user_deleted@new.example', 'Gone'), ('user_elsewhere', 'x@example.com', 'Elsewhere')`.execute(
    sync.database,
  )
  expect(await step('select coalesce(a.clerk_id')).toEqual([
    { clerk_id: 'user_deleted', difference: 'deleted in Clerk' },
    { clerk_id: 'user_elsewhere', difference: 'unknown to Clerk' },
    { clerk_id: 'user_missing', difference: 'missing' },
    { clerk_id: 'user_stale', difference: 'stale' },
  ])
  await step('insert into app_users')
  await step('alter table app_users add foreign key')
  await step('alter table app_users drop column')
  await step('create view app_users_now')
  const { rows } = await sql`select * from app_users_now order by id`.execute(sync.database)
  expect(rows).toEqual([
    { id: 1, clerk_id: 'user_current', email: 'user_current@new.example', name: 'Ada L' },
    { id: 2, clerk_id: 'user_stale', email: 'user_stale@new.example', name: 'Ada L' },
    { id: expect.any(Number), clerk_id: 'user_missing', email: 'user_missing@new.example', name: 'Ada L' },
  ])
})

it('keeps rows that refer to a deleted user', async () => {
  await step('create table profiles')
  await sql`insert into profiles values ('user_current', 'hi'), ('user_deleted', 'bye')`.execute(
    sync.database,
  )
  expect(await step('select p.bio')).toEqual([{ bio: 'hi', first_name: 'Ada' }])
  await expect(sql`insert into profiles values ('user_nobody', '')`.execute(sync.database)).rejects.toThrow(
    /foreign key/,
  )
})

it('shows a signed-in member of Supabase their own rows only', async () => {
  await deliver(sync, eventOf('organization.created', { id: 'org_1' }))
  await deliver(
    sync,
    eventOf('organizationMembership.created', {
      id: 'orgmem_1',
      organization: { id: 'org_1' },
      public_user_data: { user_id: 'user_current' },
    }),
  )
  await step('alter table profiles enable')
  await step('create policy "people')
  await step('grant usage')
  await step('grant select')
  await step('create table documents')
  await step('alter table documents enable')
  await step('create policy "members')
  await sql`insert into documents (organization_id, title) values ('org_1', 'Plan')`.execute(sync.database)
  await sql`grant select on profiles, documents to authenticated`.execute(sync.database)

  const seenBy = (userId: string) =>
    sync.database.transaction().execute(async (transaction) => {
      const claims = JSON.stringify({ sub: userId })
      await sql`select set_config('request.jwt.claims', ${claims}, true)`.execute(transaction)
      await sql`set local role authenticated`.execute(transaction)
      const { rows: profiles } = await sql`select user_id from profiles`.execute(transaction)
      const { rows: documents } = await sql`select title from documents`.execute(transaction)
      return { profiles, documents }
    })
  expect(await seenBy('user_current')).toEqual({
    profiles: [{ user_id: 'user_current' }],
    documents: [{ title: 'Plan' }],
  })
  expect(await seenBy('user_stale')).toEqual({ profiles: [], documents: [] })
})
