import pg from 'pg'
import { readValue } from '../database.ts'
import type { Acknowledged } from '../load/generator.ts'
import { expectCount } from './variant.ts'

/** Acknowledged means applied: the ledger has exactly what was acknowledged, and the tables show it. */
export async function checkLedger(
  client: pg.Client,
  schema: string,
  acknowledged: Acknowledged,
): Promise<string[]> {
  const findings = await checkRecorded(client, schema, acknowledged)
  const count = (text: string) => readValue<number>(client, text)
  return [
    ...findings,
    ...expectCount('users that differ from their newest event', await count(WRONG_USERS), 0),
    ...expectCount('deleted users that are alive', await count(LIVING_DEAD), 0),
    ...expectCount('resources without a row', await count(MISSING_ROWS), 0),
  ]
}

/** Every acknowledged event is in the ledger, and every event there had its effect. */
export async function checkRecorded(
  client: pg.Client,
  schema: string,
  { ids }: Acknowledged,
): Promise<string[]> {
  await client.query(`set search_path to ${pg.escapeIdentifier(schema)}`)
  return [
    ...expectCount('acknowledged events in the ledger', await readValue(client, RECORDED, [ids]), ids.length),
    ...expectCount('events that are neither applied nor stale', await readValue(client, WITHOUT_EFFECT), 0),
  ]
}

const RECORDED = 'select count(*)::int from events where id = any($1) and deliveries = 1'
const WITHOUT_EFFECT = `select count(*)::int from events where outcome not in ('applied', 'stale')`

/** The oracle reads the bodies again, by other means than the engine. */
const WRONG_USERS = `
  with shown as (
    select resource_id, convert_from(body, 'UTF8')::json -> 'data' as data
    from events join event_bodies on event_id = id and filed_at = received_at
    where type in ('user.created', 'user.updated')
  ), newest as (
    select distinct on (resource_id) resource_id, data from shown
    order by resource_id, (data ->> 'updated_at')::bigint desc
  )
  select count(*)::int from newest left join users on users.id = newest.resource_id
  where users.raw::text is distinct from newest.data::text
    or users.first_name is distinct from newest.data ->> 'first_name'
    or not exists (
      select from email_addresses as stored
      where stored.user_id = newest.resource_id
        and stored.email_address = newest.data -> 'email_addresses' -> 0 ->> 'email_address'
    )`

const LIVING_DEAD = `
  select count(*)::int from events left join users on users.id = events.resource_id
  where events.type = 'user.deleted' and users.deleted_at is null`

const MISSING_ROWS = `
  select count(*)::int from events
  where (resource = 'organization_memberships'
      and not exists (select from organization_memberships as stored where stored.id = resource_id))
    or (resource = 'sessions' and not exists (select from sessions as stored where stored.id = resource_id))`
