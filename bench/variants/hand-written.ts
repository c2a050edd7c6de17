import { createServer } from 'node:http'
import express from 'express'
import pg from 'pg'
import { Webhook } from 'svix'
import type { UserPayload } from '../../src/index.ts'
import { readValue } from '../database.ts'
import { SECRET } from '../load/requests.ts'
import { expectCount, type Variant } from './variant.ts'

interface Event {
  type: string
  data: UserPayload
}

/**
 * What guides and tutorials show: Express, raw body, `svix`, a table of processed events that is looked at first, an
 * upsert of a few columns. Every statement commits by itself. It keeps far less than clerk-sync does: no bodies, no
 * e-mail, phone or account rows, no guard against older events.
 */
export const handWritten: Variant = {
  title: 'hand-written: Express, svix, pg',
  workloads: ['created'],
  async serve({ database, schema }) {
    const pool = new pg.Pool({ connectionString: database, max: 10, options: `-c search_path=${schema}` })
    await pool.query(`create schema ${pg.escapeIdentifier(schema)}`)
    await pool.query(TABLES)
    const webhook = new Webhook(SECRET)
    const app = express()
    app.post('/webhooks', express.raw({ type: 'application/json' }), async (request, response) => {
      try {
        webhook.verify(request.body, request.headers as Record<string, string>)
      } catch {
        response.status(400).json({ error: 'invalid signature' })
        return
      }
      const event: Event = JSON.parse(request.body.toString())
      await processOnce(pool, request.headers['svix-id'] as string, event)
      response.status(200).json({ received: true })
    })
    return createServer(app)
  },
  async check(client, schema, { ids, subjects }) {
    const table = (name: string) => `${pg.escapeIdentifier(schema)}.${name}`
    const events = `select count(*)::int from ${table('processed_events')} where id = any($1) and status = 'processed'`
    const users = `select count(*)::int from ${table('users')} where id = any($1)`
    return [
      ...expectCount('processed events', await readValue(client, events, [ids]), ids.length),
      ...expectCount('users', await readValue(client, users, [subjects]), subjects.length),
    ]
  },
}

async function processOnce(pool: pg.Pool, id: string, event: Event): Promise<void> {
  const { rows } = await pool.query('select status from processed_events where id = $1', [id])
  if (rows[0]?.status === 'processed') return
  await pool.query(
    `insert into processed_events (id, type, status) values ($1, $2, 'processing') on conflict (id) do nothing`,
    [id, event.type],
  )
  if (event.type === 'user.created' || event.type === 'user.updated') await upsertUser(pool, event.data)
  await pool.query(`update processed_events set status = 'processed', processed_at = now() where id = $1`, [
    id,
  ])
}

async function upsertUser(pool: pg.Pool, user: UserPayload): Promise<void> {
  const email = user.email_addresses?.find((each) => each.id === user.primary_email_address_id)
  await pool.query(
    `insert into users (id, email, first_name, last_name, image_url, public_metadata, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0), to_timestamp($8 / 1000.0))
     on conflict (id) do update set email = excluded.email, first_name = excluded.first_name,
       last_name = excluded.last_name, image_url = excluded.image_url,
       public_metadata = excluded.public_metadata, updated_at = excluded.updated_at`,
    [
      user.id,
      email?.email_address,
      user.first_name,
      user.last_name,
      user.image_url,
      user.public_metadata,
      user.created_at,
      user.updated_at,
    ],
  )
}

const TABLES = `
  create table processed_events (
    id text primary key,
    type text not null,
    status text not null,
    created_at timestamptz not null default now(),
    processed_at timestamptz
  );
  create table users (
    id text primary key,
    email text,
    first_name text,
    last_name text,
    image_url text,
    public_metadata jsonb,
    created_at timestamptz,
    updated_at timestamptz
  );
  create index on users (email)`
