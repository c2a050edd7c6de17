/**
 * What the usual guide does in a webhook route, as handlers: users, organizations, members and sessions in tables of the
 * app's own, beside the mirrored ones. Everything is written through `tx`, so that each event takes effect exactly once.
 */

import { type HandlerDefinition, on } from 'clerk-sync'

/** What becomes of a user's row when the user is deleted in Clerk. */
export type DeletionPolicy = 'soft' | 'hard'

/** @param schema where the app's tables are */
export function createHandlers(schema: string, policy: DeletionPolicy): HandlerDefinition[] {
  const table = (name: string) => `"${schema}"."${name}"`
  return [
    on(
      ['user.created', 'user.updated'],
      async ({ row, tx }) => {
        // The row is never older than the event, and what was deleted stays so.
        if (row === null || row.deleted_at !== null) return
        await tx.query(
          `insert into ${table('app_users')} (id, email, name) values ($1, $2, $3)
           on conflict (id) do update set email = excluded.email, name = excluded.name`,
          [row.id, row.primary_email_address, [row.first_name, row.last_name].filter(Boolean).join(' ')],
        )
      },
      { name: 'save-user', ordered: true },
    ),
    on(
      'user.created',
      async ({ event, tx }) => {
        await tx.query(`insert into ${table('app_outbox')} (kind, user_id) values ('welcome', $1)`, [
          event.data.id,
        ])
      },
      { name: 'welcome' },
    ),
    on(
      'user.deleted',
      async ({ event, tx }) => {
        const statement =
          policy === 'hard'
            ? `delete from ${table('app_users')} where id = $1`
            : `update ${table('app_users')} set deleted_at = now() where id = $1`
        await tx.query(statement, [event.data.id])
      },
      { name: 'delete-user' },
    ),
    on(
      'organization.created',
      async ({ event, tx }) => {
        const { id, name } = event.data
        await tx.query(`insert into ${table('app_teams')} (id, name) values ($1, $2)`, [id, name])
      },
      { name: 'create-team' },
    ),
    on(
      'organizationMembership.created',
      async ({ event, tx }) => {
        const { id, role, organization, public_user_data } = event.data
        // Its organization and its user may come later: no foreign keys.
        await tx.query(
          `insert into ${table('app_members')} (id, team_id, user_id, role) values ($1, $2, $3, $4)`,
          [id, organization?.id, public_user_data?.user_id, role],
        )
      },
      { name: 'add-member' },
    ),
    on(
      'session.created',
      async ({ event, tx }) => {
        await tx.query(`insert into ${table('app_logins')} (session_id, user_id) values ($1, $2)`, [
          event.data.id,
          event.data.user_id,
        ])
      },
      { name: 'count-login' },
    ),
  ]
}

/** The app's tables. */
export function createTables(schema: string): string[] {
  return [
    `create table "${schema}".app_users (id text primary key, email text, name text, deleted_at timestamptz)`,
    `create table "${schema}".app_outbox (kind text, user_id text)`,
    `create table "${schema}".app_teams (id text primary key, name text)`,
    `create table "${schema}".app_members (id text primary key, team_id text, user_id text, role text)`,
    `create table "${schema}".app_logins (session_id text primary key, user_id text)`,
  ]
}
