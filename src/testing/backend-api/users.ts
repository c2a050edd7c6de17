/** The users of the Backend API. The only list with a cursor. */

import type { Payload, UserPayload } from '../../clerk/payloads.ts'
import { organizationIdOf } from '../simulated-clerk/instance.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, notFound, ok, unprocessable } from './answers.ts'
import { anyOf, contains, type Filters, isTrue, timeFilters } from './filters.ts'
import { type Call, type GoneCursor, type List, list, order, orderOf, pageOf, select } from './lists.ts'

export function listUsers(call: Call): Answer {
  const { clerk, query, goneCursor } = call
  const definition = usersOf(clerk)
  const cursor = query.get('starting_after')
  if (cursor === null) return list(call, definition)
  requireUsableCursor(query)
  const ordered = order(query, definition, select(query, definition))
  const place = placeAfter(cursor, ordered, definition.rows, goneCursor)
  return ok(ordered.slice(place, place + pageOf(query).limit))
}

export function countUsers({ clerk, query }: Call): Answer {
  return ok({ object: 'total_count', total_count: select(query, usersOf(clerk)).length })
}

export function getUser({ clerk, ids: [id = ''] }: Call): Answer {
  return ok(requireUser(clerk, id))
}

export function requireUser(clerk: SimulatedClerk, id: string): UserPayload {
  const user = clerk.resources('users').get(id)
  if (user) return user
  throw notFound(`No user was found with id ${id}.`)
}

/** A cursor over what changes or is not unique would skip and repeat users. */
function requireUsableCursor(query: URLSearchParams): void {
  if (orderOf(query).name !== 'created_at') {
    throw unprocessable('starting_after', 'starting_after requires ordering by created_at')
  }
  if (pageOf(query).offset > 0) {
    throw unprocessable('starting_after', 'starting_after cannot be combined with offset')
  }
}

function placeAfter(
  cursor: string,
  ordered: readonly UserPayload[],
  all: readonly UserPayload[],
  goneCursor: GoneCursor,
): number {
  const place = ordered.findIndex(({ id }) => id === cursor)
  if (place >= 0) return place + 1
  if (goneCursor === 'empty' || all.some(({ id }) => id === cursor)) return ordered.length
  throw unprocessable('starting_after', `No user was found with id ${cursor}.`)
}

function usersOf(clerk: SimulatedClerk): List<UserPayload> {
  return {
    rows: [...clerk.resources('users').values()],
    filters: userFilters(clerk),
    orders: ORDERS,
    shape: 'array',
  }
}

const ORDERS: NonNullable<List<UserPayload>['orders']> = {
  updated_at: (user) => user.updated_at,
  last_active_at: (user) => user.last_active_at,
  last_sign_in_at: (user) => user.last_sign_in_at,
  first_name: (user) => user.first_name,
  last_name: (user) => user.last_name,
  username: (user) => user.username,
  email_address: (user) => addressesOf(user)[0],
  phone_number: (user) => numbersOf(user)[0],
  web3wallet: (user) => walletsOf(user)[0],
}

function userFilters(clerk: SimulatedClerk): Filters<UserPayload> {
  return {
    ...timeFilters('created_at', 'last_active_at', 'last_sign_in_at'),
    user_id: anyOf(({ id }) => [id]),
    external_id: anyOf(({ external_id }) => [external_id]),
    organization_id: anyOf(({ id }) => clerk.ownedBy('organization_memberships', id).map(organizationIdOf)),
    email_address: anyOf(addressesOf),
    phone_number: anyOf(numbersOf),
    web3_wallet: anyOf(walletsOf),
    username: anyOf(({ username }) => [username]),
    banned: isTrue(({ banned }) => banned),
    query: contains((user) => [
      ...addressesOf(user),
      ...numbersOf(user),
      ...walletsOf(user),
      ...[user.id, user.username, user.first_name, user.last_name],
    ]),
  }
}

function addressesOf({ email_addresses = [] }: UserPayload): unknown[] {
  return email_addresses.map((each) => each.email_address)
}

function numbersOf({ phone_numbers = [] }: UserPayload): unknown[] {
  return phone_numbers.map((each) => each.phone_number)
}

function walletsOf({ web3_wallets = [] }: UserPayload): unknown[] {
  return web3_wallets.map((each) => each.web3_wallet)
}

/** E-mail addresses and phone numbers have no lists of their own. */
export function getIdentification(field: 'email_addresses' | 'phone_numbers', noun: string) {
  return ({ clerk, ids: [id] }: Call): Answer => {
    for (const user of clerk.resources('users').values()) {
      const found = user[field]?.find((each: Payload) => each.id === id)
      if (found) return ok(found)
    }
    throw notFound(`No ${noun} was found with id ${id}.`)
  }
}
