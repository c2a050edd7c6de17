/** A handler for what Clerk never sends would wait for ever without a word. */

import { describe, expect, it } from 'vitest'
import { isFor } from '../../src/clerk/event-patterns.ts'
import { createClerkSync, EVENT_TYPES, type EventPattern, on } from '../../src/index.ts'
import { SECRET } from '../support/databases.ts'

/** As JavaScript calls it. */
const handlerFor = (patterns: unknown) => on(patterns as EventPattern, () => undefined, { name: 'welcome' })

describe('the event types of a handler', () => {
  it.each([
    ['user.craeted', 'the nearest is user.created'],
    ['User.Created', 'the nearest is user.created'],
    ['organization_membership.created', 'the nearest is organizationMembership.created'],
    ['users.*', 'the nearest is user.*'],
    ['user', 'the nearest is user.*'],
    ['user.locked', 'use user.updated and look at `changes`.locked'],
    ['user.signed_in', 'use session.created'],
    ['organizationInvitation.expired', 'compare `expires_at` of organization_invitations with now'],
    ['emailAddress.verified', 'use user.updated and look at `changes`.email_addresses'],
    ['subscription.canceled', 'use subscriptionItem.canceled'],
  ])('are refused if Clerk sends none: %s', (type, advice) => {
    expect(() => handlerFor(type)).toThrow(
      expect.objectContaining({
        code: 'handler_event_unknown',
        message: expect.stringMatching(new RegExp(`welcome is for .*${literally(advice)}`)),
      }),
    )
  })

  it.each([
    ['nothing', []],
    ['no text', [undefined]],
    ['several, one of them unknown', ['user.created', 'x']],
  ])('are refused if they are %s', (_, patterns) => {
    expect(() => handlerFor(patterns)).toThrow(expect.objectContaining({ code: 'handler_event_unknown' }))
  })

  it('are refused by sync.on as well', async () => {
    await using sync = createClerkSync({ signingSecret: SECRET, database: 'memory://' })
    const pattern = 'user.craeted' as EventPattern
    expect(() => sync.on(pattern, () => undefined, { name: 'a' })).toThrow('the nearest is user.created')
  })

  it('are all that Clerk sends, their kinds, and every event', () => {
    for (const type of ['*', ...EVENT_TYPES, ...EVENT_TYPES.map((each) => `${each.split('.')[0]}.*`)]) {
      expect(handlerFor(type).patterns).toEqual([type])
    }
  })
})

function literally(text: string): string {
  return text.replace(/[.*`]/g, '\\$&')
}

describe('a pattern of event types', () => {
  it.each([
    ['*', 'user.created', true],
    ['user.*', 'user.created', true],
    ['user.*', 'userAgent.created', false],
    ['*.created', 'session.created', true],
    ['*.created', 'session.ended', false],
    ['s*.*ed', 'session.ended', true],
    ['user.created', 'user.created', true],
    ['a*a', 'a', false],
  ])('%s means %s: %s', (pattern, type, isMeant) => {
    expect(isFor([pattern], type)).toBe(isMeant)
  })

  it('takes no time, however many stars it has', () => {
    expect(isFor([`${'*a'.repeat(200)}*b`], 'a'.repeat(400))).toBe(false)
  })
})
