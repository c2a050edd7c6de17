/** The mirrored tables: lists, rows, and how they compare with Clerk. */

import type { ResourceName } from '../clerk/catalogue.ts'
import { ClerkSyncError } from '../errors.ts'
import { listEventItems } from '../inspect/event-list.ts'
import { getResource, listResources, readKinds, requireResource } from '../inspect/resources.ts'
import type { Comparison, ResourceDetail } from './api.ts'
import { compare, type StoredState } from './comparison.ts'
import { ask, browse, type Call, type Endpoints, nameIn } from './context.ts'
import { reaches } from './principal.ts'
import { pageOf } from './request.ts'

export const RESOURCE_ROUTES: Endpoints<
  | 'GET resources'
  | 'GET resources/{resource}'
  | 'GET resources/{resource}/{id}'
  | 'POST resources/{resource}/{id}/reveal'
  | 'GET resources/{resource}/{id}/history'
  | 'POST resources/{resource}/{id}/compare'
  | 'POST resources/{resource}/{id}/apply'
> = {
  'GET resources': [
    'viewer',
    async (call) => {
      const { resources } = call.sync.configuration
      return { kinds: await browse(call, (reading) => readKinds(reading, (name) => resources.has(name))) }
    },
  ],
  'GET resources/{resource}': [
    'viewer',
    (call) => {
      const conditions = { q: call.query.text('q'), deleted: call.query.boolean('deleted') }
      const resource = requireResource(nameIn(call, 'resource'))
      return browse(call, (reading) =>
        listResources(reading, resource, conditions, pageOf(call.query), call.isMasking),
      )
    },
  ],
  'GET resources/{resource}/{id}': ['viewer', (call) => detail(call, call.isMasking)],
  'POST resources/{resource}/{id}/reveal': [
    'operator',
    (call) => record(call, 'reveal', () => detail(call, false)),
  ],
  'GET resources/{resource}/{id}/history': [
    'viewer',
    (call) => {
      const { table } = requireResource(nameIn(call, 'resource'))
      const filter = { resources: [table], resourceIds: [nameIn(call, 'id')] }
      return browse(call, (reading) => listEventItems(reading, filter, pageOf(call.query), call.isMasking))
    },
  ],
  'POST resources/{resource}/{id}/compare': ['viewer', compareWithClerk],
  'POST resources/{resource}/{id}/apply': ['admin', applyClerks],
}

function detail(call: Call, isMasked: boolean): Promise<ResourceDetail> {
  const resource = requireResource(nameIn(call, 'resource'))
  return ask(call, (reading) => getResource(reading, resource, nameIn(call, 'id'), isMasked))
}

function compareWithClerk(call: Call): Promise<Comparison> {
  if (call.body.boolean('reveal') !== true) return look(call, call.isMasking)
  if (!reaches(call.principal.role, 'operator')) throw new ClerkSyncError('role_insufficient')
  return record(call, 'reveal', () => look(call, false))
}

async function look(call: Call, isMasked: boolean): Promise<Comparison> {
  requireClerk(call)
  try {
    const shown = await call.sync.clerk.show(resourceOf(call), nameIn(call, 'id'))
    return compare(await storedState(call), shown, isMasked)
  } catch (error) {
    return unavailable(error, isMasked)
  }
}

function applyClerks(call: Call): Promise<Comparison> {
  requireClerk(call)
  return record(call, 'apply', async () => {
    const shown = await call.sync.clerk.apply(resourceOf(call), nameIn(call, 'id'))
    return compare(await storedState(call), shown, call.isMasking)
  })
}

/** What Clerk's API says no to is an answer, not a failure of the dashboard. */
function unavailable(error: unknown, isMasked: boolean): Comparison {
  if (!(error instanceof ClerkSyncError) || error.code.startsWith('database_')) throw error
  const { code, message, remedy } = error
  const problem = { code, message, remedy }
  const at = new Date().toISOString()
  return { at, result: 'unavailable', fields: [], isMasked, cause: null, problem }
}

function storedState(call: Call): Promise<StoredState | null> {
  const { table } = requireResource(nameIn(call, 'resource'))
  return ask(call, async (reading) => {
    const [row] = await reading.query<{ raw: string | null; deleted: boolean; outcome: string | null }>(
      `select raw::text as raw, deleted_at is not null as deleted, (
         select outcome from ${reading.table('events')} where resource_id = row.id and resource = $2
         order by occurred_at desc limit 1
       ) as outcome
       from ${reading.table(table)} as row where id = $1`,
      [nameIn(call, 'id'), table],
    )
    return row ? { raw: row.raw, isDeleted: row.deleted, lastOutcome: row.outcome } : null
  })
}

function requireClerk({ sync }: Call): void {
  if (sync.clerk.isConfigured) return
  throw new ClerkSyncError('feature_unavailable', 'it has no CLERK_SECRET_KEY to ask Clerk with')
}

function resourceOf(call: Call): ResourceName {
  return requireResource(nameIn(call, 'resource')).table as ResourceName
}

function record<Result>(call: Call, action: string, work: () => Promise<Result>): Promise<Result> {
  const target = `resources/${nameIn(call, 'resource')}/${nameIn(call, 'id')}`
  return call.audit.record(call.principal, { action, target }, work)
}
