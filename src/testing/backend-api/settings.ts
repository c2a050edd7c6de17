/** What a team sets up, and what only one request per user or machine shows. */

import type { ResourceName } from '../../clerk/catalogue.ts'
import type { Payload } from '../../clerk/payloads.ts'
import { money } from '../simulated-clerk/payments.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, notFound, ok, unprocessable } from './answers.ts'
import { contains, equals } from './filters.ts'
import { type Call, type Endpoint, type List, list } from './lists.ts'
import { requireOrganization } from './organizations.ts'
import { requireUser } from './users.ts'

/** The list of a table. */
export function listOf(table: ResourceName, shape: List<Payload>['shape'] = 'counted'): Endpoint {
  return (call) =>
    list<Payload>(call, {
      rows: rowsOf(call.clerk, table),
      filters: {
        organization_id: equals(({ organization_id }) => organization_id),
        query: contains(({ id, name }) => [id, name]),
      },
      orders: { name: ({ name }) => name },
      shape,
    })
}

/** One of a table. */
export function getOf(table: ResourceName, noun: string): Endpoint {
  return ({ clerk, ids: [id = ''] }) => ok(require(clerk, table, noun, id))
}

function require(clerk: SimulatedClerk, table: ResourceName, noun: string, id: string): Payload {
  const found = clerk.resources(table).get(id)
  if (found) return found
  throw notFound(`No ${noun} was found with id ${id}.`)
}

function rowsOf(clerk: SimulatedClerk, table: ResourceName): Payload[] {
  return [...clerk.resources(table).values()]
}

/** By id or key. */
export function getRoleSet({ clerk, ids: [idOrKey = ''] }: Call): Answer {
  const found = rowsOf(clerk, 'role_sets').find(({ id, key }) => id === idOrKey || key === idOrKey)
  if (found) return ok(found)
  throw notFound(`No role set was found with id ${idOrKey}.`)
}

export function listMappings(call: Call): Answer {
  const [id = ''] = call.ids
  require(call.clerk, 'directories', 'directory', id)
  return list<Payload>(call, { rows: call.clerk.ownedBy('directory_group_role_mappings', id) })
}

const MAX_KEYS = 100

/** Those that were revoked come only if asked for. */
export function listApiKeys(call: Call): Answer {
  const keys = call.clerk.ownedBy('api_keys', subjectOf(call))
  const isInvalidToo = call.query.get('include_invalid') === 'true'
  return list<Payload>(call, { rows: isInvalidToo ? keys : keys.filter(({ revoked }) => !revoked) })
}

/** The list has a name of its own. */
export function listM2mTokens(call: Call): Answer {
  const rows = call.clerk.ownedBy('m2m_tokens', subjectOf(call))
  const { data, total_count } = JSON.parse(list<Payload>(call, { rows }).body.toString())
  return ok({ m2m_tokens: data, total_count })
}

/** There is no list of all, and no page is as long as elsewhere. */
function subjectOf({ query }: Call): string {
  const subject = query.get('subject')
  if (!subject) throw unprocessable('subject', 'subject must be included')
  if (Number(query.get('limit') ?? 0) > MAX_KEYS) {
    throw unprocessable('limit', `limit must be at most ${MAX_KEYS}`)
  }
  return subject
}

/** Devices do not name their user. */
export function listTrustedDevices(call: Call): Answer {
  const [id = ''] = call.ids
  requireUser(call.clerk, id)
  const show = ({ user_id, ...device }: Payload) => device
  return list<Payload>(call, { rows: call.clerk.ownedBy('trusted_devices', id), show })
}

export function getCreditsOfUser({ clerk, ids: [id = ''] }: Call): Answer {
  requireUser(clerk, id)
  return ok(BALANCE)
}

export function getCreditsOfOrganization({ clerk, ids: [id = ''] }: Call): Answer {
  requireOrganization(clerk, id)
  return ok(BALANCE)
}

/** It has no id. Everybody has the same. */
const BALANCE = { object: 'commerce_credit_balance', balance: money(500, 'USD') }
