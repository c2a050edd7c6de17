/** Clerk's events, in the shapes of the samples, each about a resource of its own. */

import type { EventType } from '../../src/index.ts'
import { sampleEvent } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { newId } from './ids.ts'

/** An event that is yet to be signed. */
export interface Unsigned {
  /** The id of the resource that it is about. */
  readonly subject: string
  readonly body: string
}

/** An endless supply of events. */
export type Workload = Iterator<Unsigned, never>

/** The same mixture in every run; only ids differ, as they must in one database. */
const random = new Random(1)

/** Nothing but new users. */
export function* newUsers(): Generator<Unsigned, never> {
  for (;;) yield userEvent('user.created', newId('user'))
}

/** Nothing but updates of a few users, which all receivers write at the same time. */
export function* hotUsers(users: readonly string[]): Generator<Unsigned, never> {
  for (;;) yield userEvent('user.updated', pick(users))
}

const ORGANIZATIONS = Array.from({ length: 50 }, () => newId('org'))

/**
 * What a grown app sees: 60 % updates of existing users, 20 % new users, 10 % memberships, 5 % sessions, 5 % deletions.
 * @param users who exists already
 */
export function* mixture(users: readonly string[]): Generator<Unsigned, never> {
  const existing = [...users]
  const memberships: string[] = []
  for (;;) {
    const dice = random.fraction()
    if (dice < 0.6) yield userEvent('user.updated', pick(existing))
    else if (dice < 0.8) yield userEvent('user.created', add(existing, newId('user')))
    else if (dice < 0.9) yield membershipEvent(memberships, pick(existing))
    else if (dice < 0.95) yield sessionEvent(pick(existing))
    else yield bodyOf('user.deleted', take(existing), {})
  }
}

/** What belongs to a user is the same in all of the user's events, and shared with nobody. */
function userEvent(type: 'user.created' | 'user.updated', id: string): Unsigned {
  const time = nextTime()
  const { email_addresses, phone_numbers, external_accounts } = sampleEvent(type).data
  const key = id.slice('user_'.length)
  const email = { id: `idn_E${key}`, email_address: `${key}@example.com`.toLowerCase() }
  const phone = { id: `idn_P${key}`, phone_number: `+1${digitsOf(key, 10)}` }
  const account = { id: `idn_A${key}`, provider_user_id: digitsOf(key, 21) }
  const data = {
    primary_email_address_id: email.id,
    username: key.toLowerCase(),
    first_name: `Ada ${time}`,
    email_addresses: email_addresses?.map((each) => ({ ...each, ...email })),
    phone_numbers: phone_numbers?.map((each) => ({ ...each, ...phone })),
    external_accounts: external_accounts?.map((each) => ({ ...each, ...account })),
    public_metadata: { plan: 'pro', seats: time % 100 },
    updated_at: time,
  }
  return bodyOf(type, id, data)
}

function digitsOf(key: string, count: number): string {
  return [...key.slice(-count)].map((letter) => letter.charCodeAt(0) % 10).join('')
}

function membershipEvent(memberships: string[], userId: string): Unsigned {
  const dice = memberships.length === 0 ? 0 : random.fraction()
  const type = dice < 0.5 ? 'created' : dice < 0.8 ? 'updated' : 'deleted'
  const id =
    type === 'created'
      ? add(memberships, newId('orgmem'))
      : type === 'updated'
        ? pick(memberships)
        : take(memberships)
  const sample = sampleEvent('organizationMembership.created').data
  return bodyOf(`organizationMembership.${type}`, id, {
    ...sample,
    organization: { ...sample.organization, id: pick(ORGANIZATIONS) },
    public_user_data: { ...sample.public_user_data, user_id: userId },
    updated_at: nextTime(),
  })
}

function sessionEvent(userId: string): Unsigned {
  const sample = sampleEvent('session.created').data
  const user = { ...(sample.user as object), id: userId }
  return bodyOf('session.created', newId('sess'), { ...sample, user_id: userId, user })
}

let newestTime = 0

/** Goes up with every event of any workload, so that each update is news and no two are of one moment. */
function nextTime(): number {
  newestTime = Math.max(newestTime + 1, Date.now())
  return newestTime
}

function bodyOf(type: EventType, id: string, data: object): Unsigned {
  const event = sampleEvent(type)
  // In the order in which Clerk writes them.
  const { event_attributes, instance_id, object } = event
  const body = {
    data: { ...event.data, ...data, id },
    event_attributes,
    instance_id,
    object,
    timestamp: nextTime(),
    type,
  }
  return { subject: id, body: JSON.stringify(body) }
}

function pick(list: readonly string[]): string {
  return random.pick(list)
}

function take(list: string[]): string {
  const at = random.integer(0, list.length - 1)
  const taken = list[at] as string
  list[at] = list.at(-1) as string
  list.pop()
  return taken
}

function add(list: string[], id: string): string {
  list.push(id)
  return id
}
