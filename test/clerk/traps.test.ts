/** Where Clerk's payloads differ from what one would expect of them; one test for each. */

import { beforeAll, describe, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { findRow } from './rows.ts'

const T = 1_800_000_000_000

let time = T
/** Later with every call, so that tests which share a row do not depend on their order. */
function nextTime(): number {
  time += 1
  return time
}

/** An event with exactly this data: no fields of a sample around it. */
function bare(type: string, data: object, timestamp: number | undefined = T + 10): ClerkEvent {
  return { type, data, ...(timestamp && { timestamp }), instance_id: 'ins_traps' } as ClerkEvent
}

const address = (id: string, email_address: string) => ({
  id,
  email_address,
  verification: { status: 'verified' },
})

describeEachDatabase('Clerk’s payloads', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  describe('clocks', () => {
    it('a new user has three: when it was made, when it was changed, when the event happened', async () => {
      const data = { id: 'user_clocks', created_at: T + 3, updated_at: T + 25 }
      await deliver(sync, bare('user.created', data, T + 35))
      expect(await findRow(sync, 'users', data.id)).toMatchObject({
        clerk_created_at: new Date(T + 3),
        clerk_updated_at: new Date(T + 25),
        observed_at: new Date(T + 35),
      })
    })

    it('the envelope’s time is in milliseconds, in Clerk’s own examples in seconds', async () => {
      for (const [id, timestamp] of [
        ['user_ms', T],
        ['user_s', T / 1000],
      ] as const) {
        const { svixId } = await deliver(sync, bare('user.created', { id }, timestamp))
        expect(await findRow(sync, 'users', id)).toMatchObject({ observed_at: new Date(T) })
        expect(await findRow(sync, 'events', svixId)).toMatchObject({ occurred_at: new Date(T) })
      }
    })

    it('an envelope without a time happened when it was sent', async () => {
      const at = new Date(Math.floor(Date.now() / 1000) * 1000)
      await deliver(sync, bare('user.created', { id: 'user_no_time' }, 0), { at })
      expect(await findRow(sync, 'users', 'user_no_time')).toMatchObject({ observed_at: at })
    })

    it('the payload of a deletion has none: the envelope’s time is the time of deletion', async () => {
      await deliver(sync, bare('user.created', { id: 'user_gone', updated_at: T }))
      await deliver(sync, bare('user.deleted', { id: 'user_gone', object: 'user', deleted: true }, T + 5_000))
      expect(await findRow(sync, 'users', 'user_gone')).toMatchObject({ deleted_at: new Date(T + 5_000) })
    })

    it('a deleted membership’s own clock stopped at its last update, five days before', async () => {
      const data = {
        id: 'orgmem_stale',
        created_at: 1_730_000_000_000,
        updated_at: 1_730_283_452_998,
        organization: { id: 'org_stale' },
        public_user_data: { user_id: 'user_stale' },
      }
      await deliver(sync, bare('organizationMembership.updated', data, 1_730_500_000_000))
      await deliver(sync, bare('organizationMembership.deleted', data, 1_730_711_921_915))
      expect(await findRow(sync, 'organization_memberships', data.id)).toMatchObject({
        deleted_at: new Date(1_730_711_921_915),
        clerk_updated_at: new Date(1_730_283_452_998),
      })
    })

    it('a deleted role or permission may come whole or as an id', async () => {
      const whole = { id: 'role_whole', key: 'org:whole', created_at: T, updated_at: T, permissions: [] }
      await deliver(sync, bare('role.deleted', whole))
      await deliver(
        sync,
        bare('permission.deleted', { id: 'perm_short', object: 'permission', deleted: true }),
      )
      expect(await findRow(sync, 'roles', 'role_whole')).toMatchObject({
        key: 'org:whole',
        deleted_at: new Date(T + 10),
      })
      expect(await findRow(sync, 'permissions', 'perm_short')).toMatchObject({
        key: null,
        deleted_at: new Date(T + 10),
      })
    })

    it('messages have none, and SMS one by two names', async () => {
      await deliver(sync, bare('email.created', { id: 'ema_1', subject: 'Hello' }))
      await deliver(sync, bare('sms.created', { id: 'sms_1', created_at_ms: T }))
      await deliver(sync, bare('sms.created', { id: 'sms_2', created_at: T + 1 }))
      expect(await findRow(sync, 'emails', 'ema_1')).toMatchObject({
        clerk_created_at: null,
        clerk_updated_at: null,
        observed_at: new Date(T + 10),
      })
      expect(await findRow(sync, 'sms_messages', 'sms_1')).toMatchObject({ clerk_created_at: new Date(T) })
      expect(await findRow(sync, 'sms_messages', 'sms_2')).toMatchObject({
        clerk_created_at: new Date(T + 1),
      })
    })

    it('a subscription item may lack one: then the envelope’s decides', async () => {
      const item = (status: string) => ({ id: 'csub_item_clockless', status })
      await deliver(sync, bare('subscriptionItem.updated', item('newer'), T + 20))
      const late = await deliver(sync, bare('subscriptionItem.created', item('older'), T + 10))
      expect(late).toMatchObject({ outcome: 'stale' })
      expect(await findRow(sync, 'subscription_items', 'csub_item_clockless')).toMatchObject({
        status: 'newer',
      })
    })
  })

  describe('embedded objects', () => {
    it('an organization inside a membership is partial: it neither overwrites nor makes a row', async () => {
      const organization = {
        id: 'org_whole',
        name: 'Acme',
        private_metadata: { plan: 'pro' },
        created_by: 'user_1',
      }
      await deliver(sync, bare('organization.created', { ...organization, updated_at: T }))
      for (const id of ['org_whole', 'org_unseen']) {
        const partial = { id, name: 'Acme, renamed', members_count: 7, updated_at: T + 9_000 }
        const member = {
          id: `orgmem_of_${id}`,
          organization: partial,
          public_user_data: { user_id: 'user_1' },
        }
        await deliver(sync, bare('organizationMembership.created', { ...member, updated_at: T + 9_000 }))
      }
      expect(await findRow(sync, 'organizations', 'org_whole')).toMatchObject({
        name: 'Acme',
        private_metadata: { plan: 'pro' },
        created_by: 'user_1',
        members_count: null,
      })
      expect(await findRow(sync, 'organizations', 'org_unseen')).toBeUndefined()
      // A membership may come before its organization and its user.
      expect(await findRow(sync, 'organization_memberships', 'orgmem_of_org_unseen')).toMatchObject({
        organization_id: 'org_unseen',
        user_id: 'user_1',
        deleted_at: null,
      })
    })

    it('a session brings its whole user, which passes the same guard', async () => {
      const session = (id: string, at: number, user: object) =>
        bare('session.created', {
          id,
          user_id: 'user_in',
          updated_at: T,
          user: { id: 'user_in', updated_at: T + at, ...user },
        })
      const whole = (name: string) => ({
        first_name: name,
        email_addresses: [address('idn_in', 'in@example.com')],
      })
      const name = async () => (await findRow(sync, 'users', 'user_in'))?.first_name

      await deliver(sync, session('sess_1', 0, whole('First')))
      expect(await name()).toBe('First')
      expect(await findRow(sync, 'email_addresses', 'idn_in')).toMatchObject({ user_id: 'user_in' })
      await deliver(sync, session('sess_2', 20, whole('Newer')))
      await deliver(sync, session('sess_3', 10, whole('Older')))
      expect(await name()).toBe('Newer')
      await deliver(sync, session('sess_4', 30, { first_name: 'Partial' }))
      expect(await name()).toBe('Newer')
      expect(await findRow(sync, 'email_addresses', 'idn_in')).toBeDefined()
    })

    it('a session of a user that is unchanged is no news of the user', async () => {
      const user = { id: 'user_same', updated_at: T, first_name: 'Ada', email_addresses: [] }
      const { svixId } = await deliver(sync, bare('user.created', user))
      await deliver(sync, bare('session.created', { id: 'sess_same', user_id: user.id, user }, T + 10))
      expect(await findRow(sync, 'users', user.id)).toMatchObject({ event_id: svixId })
    })

    it('a session may be pending, a status that Clerk’s own types lack', async () => {
      const { user: _, ...data } = eventOf('session.pending').data as { user?: unknown; id: string }
      expect(await deliver(sync, bare('session.pending', { ...data, status: 'pending' }))).toMatchObject({
        outcome: 'applied',
      })
      expect(await findRow(sync, 'sessions', data.id)).toMatchObject({ status: 'pending' })
    })

    it('a role brings its permissions, which pass the same guard', async () => {
      const permission = (at: number, name: string) => ({
        id: 'perm_1',
        key: 'org:read',
        name,
        updated_at: T + at,
      })
      await deliver(sync, bare('permission.updated', permission(10, 'Read')))
      await deliver(
        sync,
        bare('role.created', { id: 'role_1', updated_at: T, permissions: [permission(5, 'Old')] }),
      )
      expect(await findRow(sync, 'permissions', 'perm_1')).toMatchObject({ name: 'Read' })
      await deliver(
        sync,
        bare('role.updated', { id: 'role_1', updated_at: T + 20, permissions: [permission(20, 'New')] }),
      )
      expect(await findRow(sync, 'permissions', 'perm_1')).toMatchObject({ name: 'New' })
      expect(await findRow(sync, 'roles', 'role_1')).toMatchObject({
        permissions: [{ id: 'perm_1', name: 'New' }],
      })
    })

    it('a waitlist entry brings its invitation, of which there are no events', async () => {
      const invitation = { id: 'inv_1', email_address: 'eve@example.com', status: 'pending', updated_at: T }
      await deliver(
        sync,
        bare('waitlistEntry.updated', { id: 'wle_1', status: 'invited', invitation, updated_at: T }),
      )
      expect(await findRow(sync, 'waitlist_entries', 'wle_1')).toMatchObject({ invitation_id: 'inv_1' })
      expect(await findRow(sync, 'invitations', 'inv_1')).toMatchObject({ email_address: 'eve@example.com' })
    })
  })

  describe('billing', () => {
    const payer = { id: 'cpayer_1', user_id: 'user_pays', organization_id: '', organization_name: '' }

    it('writes an empty text for no id', async () => {
      await deliver(
        sync,
        bare('subscription.created', { id: 'csub_empty', latest_payment_id: '', payer, updated_at: T }),
      )
      await deliver(
        sync,
        bare('subscriptionItem.active', { id: 'csub_item_empty', subscription_id: '', payer, updated_at: T }),
      )
      await deliver(
        sync,
        bare('paymentAttempt.created', { id: 'pa_empty', invoice_id: '', payer, updated_at: T }),
      )
      const ids = { payer_id: 'cpayer_1', payer_user_id: 'user_pays', payer_organization_id: null }
      expect(await findRow(sync, 'subscriptions', 'csub_empty')).toMatchObject({
        ...ids,
        latest_payment_id: null,
      })
      expect(await findRow(sync, 'subscription_items', 'csub_item_empty')).toMatchObject({
        ...ids,
        subscription_id: null,
      })
      expect(await findRow(sync, 'payment_attempts', 'pa_empty')).toMatchObject({ ...ids, invoice_id: null })
    })

    it('leaves out of a subscription’s items what is the subscription’s', async () => {
      const items = [
        { id: 'csub_item_null', subscription_id: null, updated_at: T },
        {
          id: 'csub_item_own',
          subscription_id: 'csub_other',
          payer: { id: 'cpayer_2', user_id: 'user_2' },
          updated_at: T,
        },
      ]
      await deliver(sync, bare('subscription.created', { id: 'csub_items', payer, items, updated_at: T }))
      expect(await findRow(sync, 'subscription_items', 'csub_item_null')).toMatchObject({
        subscription_id: 'csub_items',
        payer_user_id: 'user_pays',
        payer_organization_id: null,
      })
      expect(await findRow(sync, 'subscription_items', 'csub_item_own')).toMatchObject({
        subscription_id: 'csub_other',
        payer_user_id: 'user_2',
      })
    })

    it('has different names for one thing in webhooks, the Backend API and the types', async () => {
      const plan = { id: 'cplan_1', slug: 'pro', name: 'Pro' }
      const shapes = [
        { id: 'csub_item_hook', interval: 'month', plan: { ...plan, amount: 2000, currency: 'USD' } },
        {
          id: 'csub_item_api',
          plan_period: 'month',
          plan: { ...plan, fee: { amount: 2000, currency: 'USD' } },
        },
      ]
      for (const shape of shapes) {
        await deliver(sync, bare('subscriptionItem.updated', { ...shape, updated_at: T }))
        expect(await findRow(sync, 'subscription_items', shape.id)).toMatchObject({
          plan_period: 'month',
          plan_id: 'cplan_1',
          plan_slug: 'pro',
          plan_name: 'Pro',
          plan_amount: 2000,
          plan_currency: 'USD',
        })
      }
    })

    it.each([2_147_483_648, 3_000_000_000, Number.MAX_SAFE_INTEGER])(
      'has amounts beyond 32 bits, in rupiahs for instance: %d',
      async (amount) => {
        const money = { amount, currency: 'IDR' }
        const [attempt, item] = [`pa_${amount}`, `csub_item_${amount}`]
        await deliver(
          sync,
          bare('paymentAttempt.created', { id: attempt, totals: { grand_total: money }, updated_at: T }),
        )
        await deliver(sync, bare('subscriptionItem.active', { id: item, plan: money, updated_at: T }))
        expect(await findRow(sync, 'payment_attempts', attempt)).toMatchObject(money)
        expect(await findRow(sync, 'subscription_items', item)).toMatchObject({ plan_amount: amount })
      },
    )

    it('may have a payment without totals, and its amount beside them', async () => {
      const data = { id: 'pa_bare', totals: null, amount: { amount: 2000, currency: 'USD' }, updated_at: T }
      await deliver(sync, bare('paymentAttempt.created', data))
      expect(await findRow(sync, 'payment_attempts', data.id)).toMatchObject({
        amount: 2000,
        currency: 'USD',
      })
    })

    it('shows in a payment the items as they were, which is history', async () => {
      const item = { id: 'csub_item_paid', status: 'active', updated_at: T }
      await deliver(sync, bare('subscriptionItem.active', item))
      const totals = { grand_total: { amount: 2000, currency: 'USD' } }
      const subscription_items = [
        { ...item, status: 'ended', updated_at: T + 50 },
        { id: 'csub_item_unseen', updated_at: T },
      ]
      await deliver(
        sync,
        bare('paymentAttempt.created', { id: 'pa_paid', totals, subscription_items, updated_at: T }),
      )
      expect(await findRow(sync, 'payment_attempts', 'pa_paid')).toMatchObject({
        amount: 2000,
        currency: 'USD',
        subscription_items,
      })
      expect(await findRow(sync, 'subscription_items', 'csub_item_paid')).toMatchObject({ status: 'active' })
      expect(await findRow(sync, 'subscription_items', 'csub_item_unseen')).toBeUndefined()
    })
  })

  describe('domains', () => {
    const verified = { status: 'verified', verified_at: T + 1 }
    it.each([
      ['the new name', { affiliation_verification: verified }],
      ['the old name, which Clerk will remove', { verification: verified }],
      ['both', { affiliation_verification: verified, verification: { status: 'unverified' } }],
    ])('say how far their verification is by %s', async (name, fields) => {
      const data = { id: `orgdmn_${name.length}`, organization_id: 'org_1', name: 'example.com' }
      await deliver(sync, bare('organizationDomain.updated', { ...data, ...fields, updated_at: T }))
      expect(await findRow(sync, 'organization_domains', data.id)).toMatchObject({
        verification_status: 'verified',
        verified_at: new Date(T + 1),
      })
    })

    it('say beside it whether the organization owns them', async () => {
      const ownership_verification = { status: 'verified', verified_at: T + 2 }
      const data = {
        id: 'orgdmn_owned',
        organization_id: 'org_1',
        name: 'example.org',
        ownership_verification,
      }
      await deliver(sync, bare('organizationDomain.updated', { ...data, updated_at: T }))
      expect(await findRow(sync, 'organization_domains', data.id)).toMatchObject({
        verification_status: null,
        ownership_status: 'verified',
        verified_at: new Date(T + 2),
      })
    })
  })

  describe('users', () => {
    const addresses = [address('idn_first', 'first@example.com'), address('idn_second', 'second@example.com')]

    it.each<[string, object, string | null]>([
      [
        'is the one that its id names, not the first',
        { primary_email_address_id: 'idn_second', email_addresses: addresses },
        'second@example.com',
      ],
      [
        'is nobody’s when the id names none, as in Clerk’s examples',
        { primary_email_address_id: 'idn_gone', email_addresses: addresses },
        null,
      ],
      [
        'is nobody’s when there is no id',
        { primary_email_address_id: null, email_addresses: addresses },
        null,
      ],
      [
        'is nobody’s when there are none, as for phone users',
        { primary_email_address_id: null, email_addresses: [] },
        null,
      ],
      ['is nobody’s when the list is missing', { primary_email_address_id: 'idn_first' }, null],
      [
        'is nobody’s when the list is none',
        { primary_email_address_id: 'idn_first', email_addresses: 'odd' },
        null,
      ],
      ['is no address without an id', { email_addresses: [{ email_address: 'no-id@example.com' }] }, null],
    ])('the primary e-mail address %s', async (_, data, primary) => {
      const { svixId } = await deliver(
        sync,
        bare('user.created', { id: 'user_primary', ...data, updated_at: nextTime() }),
      )
      expect(await findRow(sync, 'users', 'user_primary')).toMatchObject({
        event_id: svixId,
        primary_email_address: primary,
      })
    })

    it('have a primary phone number and wallet by the same rule', async () => {
      const phone_numbers = [
        { id: 'idn_p1', phone_number: '+1' },
        { id: 'idn_p2', phone_number: '+2' },
      ]
      const web3_wallets = [
        { id: 'idn_w1', web3_wallet: '0x1' },
        { id: 'idn_w2', web3_wallet: '0x2' },
      ]
      const primary = { primary_phone_number_id: 'idn_p2', primary_web3_wallet_id: 'idn_w2' }
      await deliver(
        sync,
        bare('user.created', { id: 'user_primaries', ...primary, phone_numbers, web3_wallets }),
      )
      expect(await findRow(sync, 'users', 'user_primaries')).toMatchObject({
        primary_phone_number: '+2',
        primary_web3_wallet: '0x2',
      })
    })

    it.each([
      ['null', { private_metadata: null }],
      ['absent', {}],
    ])('have private metadata that can be %s', async (_, data) => {
      await deliver(sync, bare('user.created', { id: 'user_private', ...data, updated_at: nextTime() }))
      expect(await findRow(sync, 'users', 'user_private')).toMatchObject({ private_metadata: null })
    })

    it('that a directory removes are not deleted but deprovisioned', async () => {
      await deliver(sync, bare('user.created', { id: 'user_scim', deprovisioned: false, updated_at: T }))
      await deliver(sync, bare('user.updated', { id: 'user_scim', deprovisioned: true, updated_at: T + 1 }))
      expect(await findRow(sync, 'users', 'user_scim')).toMatchObject({
        deprovisioned: true,
        deleted_at: null,
      })
    })

    it('have accounts whose identification ties them to an address', async () => {
      const linked_to = [{ type: 'oauth_google', id: 'idn_google' }]
      const external_accounts = [
        { id: 'eac_1', object: 'google_account', identification_id: 'idn_google', provider: 'oauth_google' },
      ]
      const email_addresses = [{ ...address('idn_linked', 'linked@example.com'), linked_to }]
      await deliver(sync, bare('user.created', { id: 'user_linked', email_addresses, external_accounts }))
      expect(await findRow(sync, 'email_addresses', 'idn_linked')).toMatchObject({ linked_to })
      expect(await findRow(sync, 'external_accounts', 'eac_1')).toMatchObject({
        identification_id: 'idn_google',
      })
    })
  })

  describe('envelopes and payloads', () => {
    it('`object` lies: the type of the event decides', async () => {
      const odd = [
        ['waitlistEntry.created', 'waitlist_entries', { id: 'wle_odd', object: 'waitlistEntry' }],
        [
          'subscriptionItem.active',
          'subscription_items',
          { id: 'csub_item_odd', object: 'subscription_item' },
        ],
        ['paymentAttempt.created', 'payment_attempts', { id: 'pa_odd' }],
        ['user.created', 'users', { id: 'user_odd', object: 'organization' }],
      ] as const
      for (const [type, table, data] of odd) {
        expect(await deliver(sync, bare(type, data))).toMatchObject({ outcome: 'applied', resource: table })
        expect(await findRow(sync, table, data.id)).toBeDefined()
      }
    })

    it('an invitation’s organization is in one of two places, of which the outer one counts', async () => {
      const [outer, inner] = [{ id: 'org_outer' }, { id: 'org_inner' }]
      const invitations = [
        [{ id: 'orginv_outer', public_organization_data: outer }, outer],
        [{ id: 'orginv_inner', data: { public_organization_data: inner } }, inner],
        [
          { id: 'orginv_both', public_organization_data: outer, data: { public_organization_data: inner } },
          outer,
        ],
        [
          { id: 'orginv_null', public_organization_data: null, data: { public_organization_data: inner } },
          inner,
        ],
        [{ id: 'orginv_none' }, null],
      ] as const
      for (const [data, expected] of invitations) {
        await deliver(sync, bare('organizationInvitation.created', data))
        expect(await findRow(sync, 'organization_invitations', data.id)).toMatchObject({
          public_organization_data: expected,
        })
      }
    })

    it('an accepted invitation says by whom', async () => {
      const data = { id: 'orginv_accepted', status: 'pending', updated_at: T }
      await deliver(sync, bare('organizationInvitation.created', data))
      await deliver(
        sync,
        bare('organizationInvitation.accepted', {
          ...data,
          status: 'accepted',
          user_id: 'user_guest',
          updated_at: T + 1,
        }),
      )
      expect(await findRow(sync, 'organization_invitations', data.id)).toMatchObject({
        status: 'accepted',
        user_id: 'user_guest',
      })
    })

    it('an old message names no instance, and is not refused for it', async () => {
      const ours = await database.open({ instanceId: 'ins_ours' })
      const { instance_id: _, ...old } = bare('user.created', { id: 'user_old' })
      expect(await deliver(ours, old)).toMatchObject({ outcome: 'applied' })
      expect(await findRow(sync, 'users', 'user_old')).toMatchObject({ instance_id: null })
    })

    it('the dashboard’s “Send Example” is rightly signed, of an instance that does not exist', async () => {
      const ours = await database.open({ instanceId: 'ins_ours' })
      const example = {
        ...bare('user.created', { id: 'user_29w83sxmDNGwOuEthce5gg56FcC' }),
        instance_id: 'ins_123',
      }
      expect(await deliver(ours, example)).toMatchObject({ outcome: 'parked', reason: 'instance_mismatch' })
      expect(await findRow(sync, 'users', 'user_29w83sxmDNGwOuEthce5gg56FcC')).toBeUndefined()
    })

    it('the instance is one of those that are configured, whatever white space is around them', async () => {
      const either = await database.open({ instanceId: ' ins_a , ins_traps ' })
      expect(await deliver(either, bare('role.created', { id: 'role_instance' }))).toMatchObject({
        outcome: 'applied',
      })
    })

    it.each([
      ['with empty texts', { http_request: { client_ip: '', user_agent: 'clerk/clerk-sdk-go@v2' } }],
      ['missing', undefined],
      ['null', null],
      ['odd', 'odd'],
    ])('event attributes may be %s', async (_, event_attributes) => {
      const event = {
        ...bare('user.updated', { id: 'user_attributes', updated_at: nextTime() }),
        event_attributes,
      }
      expect(await deliver(sync, event)).toMatchObject({ outcome: 'applied' })
    })

    it('a field of another type than documented becomes null in its column and stays in raw', async () => {
      const data = {
        id: 'user_odd_types',
        banned: 'yes',
        lockout_expires_in_seconds: 2 ** 40,
        last_sign_in_at: 'yesterday',
        username: { first: 'Ada' },
        external_id: 42,
        created_at: -1,
        updated_at: {},
        email_addresses: [null, 'odd', 7, address('idn_ok', 'ok@example.com')],
      }
      expect(await deliver(sync, bare('user.created', data))).toMatchObject({ outcome: 'applied' })
      expect(await findRow(sync, 'users', data.id)).toMatchObject({
        banned: null,
        lockout_expires_in_seconds: null,
        last_sign_in_at: null,
        username: null,
        external_id: '42',
        clerk_created_at: null,
        clerk_updated_at: null,
        raw: data,
      })
      expect(await findRow(sync, 'email_addresses', 'idn_ok')).toMatchObject({ user_id: data.id })
    })

    it.each(['invitation.created', 'subscriptionItem.expired', 'user.createdAtEdge', 'galaxy.created'])(
      'an event named %s, which Clerk documents nowhere, is kept',
      async (type) => {
        const receipt = await deliver(sync, bare(type, { id: 'thing_1' }))
        expect(receipt).toMatchObject({
          outcome: 'parked',
          reason: 'unknown_type',
          type,
          resourceId: 'thing_1',
        })
      },
    )
  })
})
