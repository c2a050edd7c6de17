/**
 * Users generated from their index: a million of them take no memory, and serving them is cheap, because all have JSON of
 * the same length, which is copied and has its numbers overwritten.
 */

import type { Milliseconds, UserPayload } from '../src/clerk/payloads.ts'
import { type Answer, notFound, ok, unprocessable } from '../src/testing/backend-api/answers.ts'
import { type Call, orderOf, pageOf } from '../src/testing/backend-api/lists.ts'
import { ROUTES, type Route } from '../src/testing/backend-api/routes.ts'
import { BackendApiServer } from '../src/testing/backend-api/server.ts'
import { createSimulatedClerk } from '../src/testing/index.ts'

const FIRST_CREATED_AT: Milliseconds = 1_700_000_000_000
/** From one user to the next. */
const INTERVAL = 1_000
const ID_PREFIX = 'user_3Syn'
const ID_DIGITS = 23

/** A Backend API without a rate limit that serves synthetic users in place of the instance's. */
export async function startSyntheticBackendApi(count: number): Promise<BackendApiServer> {
  const server = new BackendApiServer(createSimulatedClerk(), {
    secretKey: 'sk_test_simulated000000000000000000000000000000',
    environment: 'development',
    seed: 1,
    rateLimit: null,
    faults: {},
    slowMs: 0,
    disabled: {},
    goneCursor: 'refused',
    routes: [...syntheticUserRoutes(count), ...ROUTES],
  })
  await server.listen(0)
  return server
}

/** Replaces the endpoints of users. Of filters only `user_id` and those by `created_at` are supported. */
function syntheticUserRoutes(count: number): readonly Route[] {
  return [
    { path: '/users', endpoint: (call) => listUsers(call, count) },
    {
      path: '/users/count',
      endpoint: ({ query }) => ok({ object: 'total_count', total_count: found(query, count).length }),
    },
    { path: '/users/*', endpoint: ({ ids: [id = ''] }) => getUser(id, count) },
  ]
}

/** The user of an index, as its JSON has it. */
export function syntheticUser(index: number): UserPayload {
  return JSON.parse(jsonOf(index).toString()) as UserPayload
}

function listUsers({ query }: Call, count: number): Answer {
  const { name, isDescending } = orderOf(query)
  if (name !== 'created_at' && name !== 'updated_at')
    throw unprocessable('order_by', `order_by cannot be ${name}`)
  const { indexAt, length } = found(query, count)
  const { limit } = pageOf(query)
  const start = startOf(query, { indexAt, length }, isDescending)
  const size = Math.max(0, Math.min(limit, length - start))
  const indexOfPlace = (place: number) => indexAt(isDescending ? length - 1 - start - place : start + place)
  return { status: 200, body: pageOfUsers(size, indexOfPlace) }
}

/** The JSON of a list of users. */
function pageOfUsers(size: number, indexAt: (place: number) => number): Buffer {
  if (size === 0) return Buffer.from('[]')
  const page = Buffer.alloc(1 + size * (TEMPLATE.length + 1), ',')
  for (let place = 0; place < size; place++) {
    writeUser(page, 1 + place * (TEMPLATE.length + 1), indexAt(place))
  }
  page.write('[', 0)
  page.write(']', page.length - 1)
  return page
}

interface Found {
  readonly length: number
  /** The index of the user at a place, oldest first. */
  readonly indexAt: (place: number) => number
}

function found(query: URLSearchParams, count: number): Found {
  const ids = [...query.getAll('user_id'), ...query.getAll('user_id[]')]
  if (ids.length > 0) {
    const indexes = ids.map((id) => indexOf(id, count)).filter((index) => index !== undefined)
    indexes.sort((a, b) => a - b)
    return { length: indexes.length, indexAt: (place) => indexes[place] as number }
  }
  const after = Number(query.get('created_at_after') ?? FIRST_CREATED_AT - 1)
  const before = Number(query.get('created_at_before') ?? Infinity)
  const first = Math.max(0, Math.floor((after - FIRST_CREATED_AT) / INTERVAL) + 1)
  const end = Math.min(count, Math.ceil((before - FIRST_CREATED_AT) / INTERVAL))
  return { length: Math.max(0, end - first), indexAt: (place) => first + place }
}

function startOf(query: URLSearchParams, { indexAt, length }: Found, isDescending: boolean): number {
  const cursor = query.get('starting_after')
  if (cursor === null) return pageOf(query).offset
  const place = Number(cursor.slice(ID_PREFIX.length)) - (length > 0 ? indexAt(0) : 0)
  return isDescending ? length - place : place + 1
}

function getUser(id: string, count: number): Answer {
  const index = indexOf(id, count)
  if (index === undefined) throw notFound(`No user was found with id ${id}.`)
  return { status: 200, body: jsonOf(index) }
}

function indexOf(id: string, count: number): number | undefined {
  const index = Number(id.slice(ID_PREFIX.length))
  return id === idOf(index) && index < count ? index : undefined
}

function idOf(index: number): string {
  return ID_PREFIX + String(index).padStart(ID_DIGITS, '0')
}

function jsonOf(index: number): Buffer {
  const json = Buffer.alloc(TEMPLATE.length)
  writeUser(json, 0, index)
  return json
}

function writeUser(target: Buffer, start: number, index: number): void {
  const createdAt = FIRST_CREATED_AT + index * INTERVAL
  TEMPLATE.copy(target, start)
  writeAll(target, start, NUMBERS, String(index).padStart(ID_DIGITS, '0'))
  writeAll(target, start, CREATION_TIMES, String(createdAt))
  writeAll(target, start, UPDATE_TIMES, String(createdAt + 20))
}

function writeAll(target: Buffer, start: number, places: readonly number[], text: string): void {
  for (const place of places) target.write(text, start + place, 'latin1')
}

/** Stand for what differs from user to user, and are as long. */
const NUMBER = 'N'.repeat(ID_DIGITS)
const CREATED_AT = 1_111_111_111_111
const UPDATED_AT = 2_222_222_222_222

/** As large as a user of Clerk's with one address usually is. */
const USER: UserPayload = {
  id: ID_PREFIX + NUMBER,
  object: 'user',
  external_id: null,
  primary_email_address_id: `idn_3Syn${NUMBER}`,
  primary_phone_number_id: null,
  primary_web3_wallet_id: null,
  username: null,
  first_name: 'Grace',
  last_name: `Hopper ${NUMBER}`,
  locale: 'en-GB',
  profile_image_url: `https://img.clerk.com/${NUMBER}`,
  image_url: `https://img.clerk.com/${NUMBER}`,
  has_image: true,
  public_metadata: { plan: 'pro', crm: { id: NUMBER, tags: ['imported', 'newsletter'] } },
  private_metadata: {},
  unsafe_metadata: {},
  email_addresses: [
    {
      id: `idn_3Syn${NUMBER}`,
      object: 'email_address',
      email_address: `grace.${NUMBER}@example.com`,
      reserved: false,
      verification: {
        object: 'verification_otp',
        status: 'verified',
        strategy: 'email_code',
        attempts: 1,
        expire_at: CREATED_AT,
      },
      linked_to: [],
      matches_sso_connection: false,
      created_at: CREATED_AT,
      updated_at: CREATED_AT,
    },
  ],
  phone_numbers: [],
  web3_wallets: [],
  passkeys: [],
  password_enabled: true,
  two_factor_enabled: false,
  totp_enabled: false,
  backup_code_enabled: false,
  mfa_enabled_at: null,
  mfa_disabled_at: null,
  password_last_updated_at: null,
  external_accounts: [],
  saml_accounts: [],
  enterprise_accounts: [],
  last_sign_in_at: CREATED_AT,
  banned: false,
  locked: false,
  deprovisioned: false,
  lockout_expires_in_seconds: null,
  verification_attempts_remaining: 100,
  updated_at: UPDATED_AT,
  created_at: CREATED_AT,
  delete_self_enabled: true,
  create_organization_enabled: true,
  create_organizations_limit: null,
  last_active_at: CREATED_AT,
  legal_accepted_at: null,
  bypass_client_trust: false,
  scim: null,
  timezone: null,
}

const TEMPLATE = Buffer.from(JSON.stringify(USER))
const NUMBERS = placesOf(NUMBER)
const CREATION_TIMES = placesOf(String(CREATED_AT))
const UPDATE_TIMES = placesOf(String(UPDATED_AT))

function placesOf(text: string): number[] {
  return [...TEMPLATE.toString().matchAll(new RegExp(text, 'g'))].map(({ index }) => index)
}
