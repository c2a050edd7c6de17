/** What the checker looks at, read from the database as any client of Postgres would. */

import pg from 'pg'
import type { Observation } from './check.ts'
import type { Sender } from './sender.ts'
import type { Site } from './site.ts'
import type { Traffic } from './traffic.ts'

export async function observe(site: Site, traffic: Traffic, sender: Sender): Promise<Observation> {
  const client = new pg.Client({ connectionString: site.postgres.url })
  await client.connect()
  try {
    return {
      sent: sender.messages.map(({ event: { id, userId, type, at }, ackedAt }) => ({
        id,
        userId,
        type,
        at,
        ackedAt,
      })),
      expectedUsers: traffic.users,
      expectedSessions: traffic.sessions,
      ledger: await read(client, 'select id, outcome from clerk.events'),
      users: await read(
        client,
        'select id, first_name as "firstName", deleted_at is not null as "isDeleted" from clerk.users',
      ),
      sessions: await read(client, 'select id, deleted_at is not null as "isDeleted" from clerk.sessions'),
      runs: await read(
        client,
        `select event_id as "eventId", handler, status,
           (extract(epoch from started_at) * 1000)::float8 as "startedAt" from clerk.handler_runs`,
      ),
      effects: await read(
        client,
        'select event_id as "eventId", user_id as "userId", at::float8 as at from chaos.effects order by nr',
      ),
      calls: site.sink.calls,
      endings: site.processes.flatMap(({ endings }) => endings),
    }
  } finally {
    await client.end()
  }
}

async function read<Row>(client: pg.Client, text: string): Promise<Row[]> {
  return (await client.query(text)).rows as Row[]
}
