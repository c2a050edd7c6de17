import type { WebhookEvent } from '@clerk/backend/webhooks'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { CATALOGUE, CHILD_SETS, EVENT_TYPES, findEvent, RESOURCES } from '../../src/clerk/catalogue.ts'
import type { EventType } from '../../src/clerk/payloads.ts'
import type { ClerkSync } from '../../src/index.ts'
import { sampleEvent } from '../../src/testing/samples.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { CHILD_FIELDS, INVITATION_FIELDS, RESOURCE_FIELDS, sampleOf } from './fields.ts'
import { findRow } from './rows.ts'

/** What each event means: for which table, and whether it deletes. The compiler wants one for each type that we know. */
const MEANINGS: Readonly<Record<EventType, [table: string, effect: 'upsert' | 'delete']>> = {
  'user.created': ['users', 'upsert'],
  'user.updated': ['users', 'upsert'],
  'user.deleted': ['users', 'delete'],
  'session.created': ['sessions', 'upsert'],
  'session.pending': ['sessions', 'upsert'],
  'session.ended': ['sessions', 'upsert'],
  'session.removed': ['sessions', 'upsert'],
  'session.revoked': ['sessions', 'upsert'],
  'organization.created': ['organizations', 'upsert'],
  'organization.updated': ['organizations', 'upsert'],
  'organization.deleted': ['organizations', 'delete'],
  'organizationMembership.created': ['organization_memberships', 'upsert'],
  'organizationMembership.updated': ['organization_memberships', 'upsert'],
  'organizationMembership.deleted': ['organization_memberships', 'delete'],
  'organizationInvitation.created': ['organization_invitations', 'upsert'],
  'organizationInvitation.accepted': ['organization_invitations', 'upsert'],
  'organizationInvitation.revoked': ['organization_invitations', 'upsert'],
  'organizationDomain.created': ['organization_domains', 'upsert'],
  'organizationDomain.updated': ['organization_domains', 'upsert'],
  'organizationDomain.deleted': ['organization_domains', 'delete'],
  'role.created': ['roles', 'upsert'],
  'role.updated': ['roles', 'upsert'],
  'role.deleted': ['roles', 'delete'],
  'permission.created': ['permissions', 'upsert'],
  'permission.updated': ['permissions', 'upsert'],
  'permission.deleted': ['permissions', 'delete'],
  'waitlistEntry.created': ['waitlist_entries', 'upsert'],
  'waitlistEntry.updated': ['waitlist_entries', 'upsert'],
  'email.created': ['emails', 'upsert'],
  'sms.created': ['sms_messages', 'upsert'],
  'subscription.created': ['subscriptions', 'upsert'],
  'subscription.updated': ['subscriptions', 'upsert'],
  'subscription.active': ['subscriptions', 'upsert'],
  'subscription.pastDue': ['subscriptions', 'upsert'],
  'subscriptionItem.created': ['subscription_items', 'upsert'],
  'subscriptionItem.updated': ['subscription_items', 'upsert'],
  'subscriptionItem.active': ['subscription_items', 'upsert'],
  'subscriptionItem.canceled': ['subscription_items', 'upsert'],
  'subscriptionItem.upcoming': ['subscription_items', 'upsert'],
  'subscriptionItem.ended': ['subscription_items', 'upsert'],
  'subscriptionItem.abandoned': ['subscription_items', 'upsert'],
  'subscriptionItem.incomplete': ['subscription_items', 'upsert'],
  'subscriptionItem.pastDue': ['subscription_items', 'upsert'],
  'subscriptionItem.freeTrialEnding': ['subscription_items', 'upsert'],
  'paymentAttempt.created': ['payment_attempts', 'upsert'],
  'paymentAttempt.updated': ['payment_attempts', 'upsert'],
}

describe('the catalogue', () => {
  it('knows the 46 events that Clerk sends, each of one resource', () => {
    expect([...EVENT_TYPES].sort()).toEqual(Object.keys(MEANINGS).sort())
    expect(EVENT_TYPES).toHaveLength(46)
  })

  it.each(Object.entries(MEANINGS))('takes %s for an event of %s', (type, [table, effect]) => {
    const found = findEvent(type)
    expect([found?.resource.table, found?.effect]).toEqual([table, effect])
  })

  it('knows every event that Clerk’s own types know', () => {
    expectTypeOf<WebhookEvent['type']>().toExtend<EventType>()
  })

  it('knows no event by the name of a property that every object has', () => {
    for (const type of ['constructor', '__proto__', 'toString', '']) expect(findEvent(type)).toBeUndefined()
  })

  it('has a sample of every event, of that very type', () => {
    for (const type of EVENT_TYPES)
      expect(sampleEvent(type)).toMatchObject({ type, data: { id: expect.any(String) } })
  })

  it('names every table once, and parents before what belongs to them', () => {
    const tables = [...RESOURCES.values()].map((resource) => resource.table)
    expect(tables).toEqual(Object.keys(CATALOGUE))
    expect(Object.values(CHILD_SETS).map((set) => set.table)).toEqual(Object.keys(CHILD_SETS))
    for (const [index, { parents = {} }] of [...RESOURCES.values()].entries()) {
      for (const parent of Object.values(parents)) expect(tables.slice(0, index)).toContain(parent)
    }
  })

  it('reads every set that it has a table for', () => {
    const read = [...RESOURCES.values()].flatMap((resource) => resource.children ?? [])
    expect(read).toEqual(Object.values(CHILD_SETS))
  })
})

const EXAMPLES = Object.entries(RESOURCE_FIELDS).map(([table, fields]) => {
  const type = EVENT_TYPES.find((each) => MEANINGS[each].join() === `${table},upsert`) as EventType
  return [table as keyof typeof RESOURCE_FIELDS, type, fields] as const
})

describeEachDatabase('every field that Clerk documents', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  it.each(EXAMPLES)('of %s is in its column, or at least in raw', async (table, type, fields) => {
    const { payload, row } = sampleOf(fields)
    const data = { id: `all_fields_of_${table}`, ...payload }
    expect(await deliver(sync, { type, data, timestamp: 1_800_000_000_000 })).toMatchObject({
      outcome: 'applied',
    })
    expect(await findRow(sync, table, data.id)).toMatchObject({ ...row, raw: data })
  })

  it.each(Object.entries(CHILD_FIELDS))(
    'of %s is in its column, or at least in raw',
    async (table, fields) => {
      const { payload, row } = sampleOf(fields)
      const member = { id: `all_fields_of_${table}`, ...payload }
      await deliver(sync, { type: 'user.created', data: { id: `user_of_${table}`, [table]: [member] } })
      const stored = await findRow(sync, table as keyof typeof CHILD_FIELDS, member.id)
      expect(stored).toMatchObject({ ...row, user_id: `user_of_${table}` })
    },
  )

  it('of invitations is in its column, or at least in raw', async () => {
    const { payload, row } = sampleOf(INVITATION_FIELDS)
    const invitation = { id: 'all_fields_of_invitations', ...payload }
    await deliver(sync, { type: 'waitlistEntry.created', data: { id: 'wle_fields', invitation } })
    expect(await findRow(sync, 'invitations', invitation.id)).toMatchObject({ ...row, raw: invitation })
  })

  it('has a column for nothing that is not listed', () => {
    const derived =
      /^(primary_(email_address|phone_number|web3_wallet)|verification_status|(payer|plan|organization|user|invitation)_\w+|amount|currency|ended_at|ownership_status|verified_at)$/
    const listed = (fields: object) => Object.values(fields).join(' ').split(/\s+/)
    const ofEvents = [...RESOURCES.values()].filter(({ table }) => table in RESOURCE_FIELDS)
    const ofUsers = Object.values(CHILD_SETS).filter(({ parentColumn }) => parentColumn === 'user_id')
    const unlisted = [...ofEvents, ...ofUsers].flatMap(({ table, columns }) => {
      const fields = { ...RESOURCE_FIELDS, ...CHILD_FIELDS, invitations: INVITATION_FIELDS }[table as 'users']
      const known = new Set(listed(fields))
      return Object.keys(columns).filter((column) => !known.has(column) && !derived.test(column))
    })
    expect(unlisted).toEqual([])
  })
})
