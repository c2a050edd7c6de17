/** The payload types beside those of `@clerk/backend`. The compiler is the judge; the test runner only counts. */

import type { OrganizationJSON, UserJSON, WebhookEvent } from '@clerk/backend'
import { expect, it } from 'vitest'
import {
  type ClerkEvent,
  EVENT_TYPES,
  type EventPayloads,
  type EventType,
  type UserPayload,
} from '../../src/index.ts'
import { sampleEvent } from '../../src/testing/index.ts'

type Theirs = { [Type in WebhookEvent['type']]: Extract<WebhookEvent, { type: Type }>['data'] }
/** Clerk's type of a deletion leaves the id optional, without which no deletion could be applied. */
type Compared = Exclude<keyof Theirs, 'user.deleted' | 'organization.deleted' | 'organizationDomain.deleted'>
/** Each event's payload there is one here, or this does not compile. */
type Fits<Payloads extends EventPayloads[Compared]> = Payloads
type Fitting = { [Type in Compared]: Fits<Theirs[Type]> extends EventPayloads[Type] ? true : Type }

const fits = <Value>(_: Value) => undefined
const isTrue: Fitting[Compared] = true

it('take every payload that Clerk’s own types describe', () => {
  fits<true>(isTrue)
  const known: Exclude<keyof Theirs, EventType>[] = []
  expect(known).toEqual([])
  const takeUser = (user: UserPayload) => user.email_addresses[0]?.email_address
  const takeTheirs = (user: UserJSON, organization: OrganizationJSON) => {
    const data: EventPayloads['organization.created'] = organization
    return [takeUser(user), data.name]
  }
  const { data } = sampleEvent('user.created')
  expect(takeTheirs({ ...data } as unknown as UserJSON, { name: 'Acme' } as OrganizationJSON)).toHaveLength(2)
})

it('take a verified event of Clerk’s own helper', () => {
  const handle = (event: ClerkEvent<'user.created'>) => event.data.id
  const useTheirs = (event: WebhookEvent & { type: 'user.created' }) => handle(event)
  expect(useTheirs(sampleEvent('user.created') as never)).toMatch(/^user_/)
})

it('know no misspelt field, and miss none that is required', () => {
  const { data } = sampleEvent('user.created')
  // @ts-expect-error its name is first_name
  expect(data.firstname).toBeUndefined()
  const banned: boolean = data.banned
  // @ts-expect-error a user needs more than an id
  const lacking: UserPayload = { id: data.id }
  expect([banned, lacking.id]).toEqual([false, data.id])
})

it('give any payload to code that takes any event', () => {
  const typeOf = (event: ClerkEvent) => event.type
  for (const type of EVENT_TYPES) expect(typeOf(sampleEvent(type))).toBe(type)
  expect(
    typeOf(sampleEvent('subscription.updated') satisfies ClerkEvent<'subscription.updated'>),
  ).toBeDefined()
})
