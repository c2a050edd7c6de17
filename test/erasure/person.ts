/** Somebody with fifty values of their own, and everything that Clerk tells of them. */

import type { UserPayload } from '../../src/clerk/payloads.ts'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import type { SimulatedClerk } from '../../src/testing/index.ts'
import { eventOf } from '../support/deliveries.ts'

/** What no dump may hold after the erasure. */
export interface Person {
  readonly id: string
  readonly values: readonly string[]
  /** Events that tell of them, in the order in which they happened. */
  readonly events: readonly ClerkEvent[]
  /** Events that Clerk sends later, with values that they had before. */
  readonly late: readonly ClerkEvent[]
  /** Somebody whom the person invited, who stays. */
  readonly invitee: string
  /** The id that a name stands for. */
  readonly idOf: (name: string) => string
}

let made = 0

/** Makes the person in a simulated Clerk, so that its Backend API shows them too. */
export function createPerson(clerk: SimulatedClerk): Person {
  const prefix = `z${made++}z`
  const values: string[] = []
  const own = (name: string) => `${name}_${clerk.instanceId}`
  const value = (kind: string) => {
    values.push(`${prefix}q${String(values.length).padStart(2, '0')}${kind}`)
    return values.at(-1) as string
  }
  const address = () => `${value('mail')}@example.com`
  clerk.act('createUser')
  const id = [...clerk.resources('users').keys()].at(-1) as string
  const user = clerk.resources('users').get(id) as UserPayload
  const mail = address()
  Object.assign(user, {
    first_name: value('first'),
    last_name: value('last'),
    username: value('user'),
    external_id: value('external'),
    image_url: `https://img.example.com/${value('image')}`,
    profile_image_url: `https://img.example.com/${value('profile')}`,
    public_metadata: { team: value('team'), list: [value('item'), { deep: value('deep') }] },
    private_metadata: { note: value('note'), iban: value('iban') },
    unsafe_metadata: { ssn: value('ssn'), birthday: value('birthday'), nested: { pet: value('pet') } },
    primary_email_address_id: 'idn_mail',
    primary_phone_number_id: 'idn_phone',
    primary_web3_wallet_id: 'idn_wallet',
    email_addresses: [
      member('idn_mail', 'email_address', mail),
      member('idn_mail2', 'email_address', address()),
    ],
    phone_numbers: [
      member('idn_phone', 'phone_number', value('phone')),
      member('idn_p2', 'phone_number', value('phone')),
    ],
    web3_wallets: [member('idn_wallet', 'web3_wallet', value('wallet'))],
    passkeys: [member('idn_key', 'name', value('passkey'))],
    external_accounts: [
      {
        ...member('eac_1', 'provider_user_id', value('provider')),
        email_address: address(),
        first_name: value('afirst'),
        last_name: value('alast'),
        username: value('auser'),
        phone_number: value('aphone'),
        label: value('label'),
        avatar_url: value('avatar'),
        image_url: value('aimage'),
        public_metadata: { a: value('ameta') },
      },
    ],
    saml_accounts: [
      {
        ...member('samlacc_1', 'provider_user_id', value('saml')),
        email_address: address(),
        first_name: value('sfirst'),
        last_name: value('slast'),
      },
    ],
    enterprise_accounts: [
      { ...member('entacc_1', 'provider_user_id', value('ent')), email_address: address() },
    ],
  })
  const whole = () => structuredClone({ ...user }) as Record<string, unknown>
  const at = clerk.now
  const base = { instance_id: clerk.instanceId }
  const event = (...parameters: Parameters<typeof eventOf>) => ({ ...eventOf(...parameters), ...base })
  const before = {
    ...whole(),
    updated_at: at - 5_000,
    email_addresses: [member('idn_mail', 'email_address', address())],
  }
  const publicData = {
    user_id: id,
    first_name: user.first_name,
    identifier: mail,
    image_url: user.image_url,
    last_name: user.last_name,
    profile_image_url: user.profile_image_url,
  }
  const payer = {
    id: own('cpayer_1'),
    user_id: id,
    first_name: user.first_name,
    email: mail,
    image_url: user.image_url,
  }
  const invitee = value('invitee')
  values.pop()
  const session = (session: string, more: object = {}) => ({
    id: session,
    user_id: id,
    user: whole(),
    latest_activity: { ip_address: value('ip'), city: value('city') },
    updated_at: at,
    ...more,
  })
  const events = [
    event('user.created', before, at - 5_000),
    event('user.updated', { ...whole(), updated_at: at }, at),
    event('session.created', session(own('sess_1')), at),
    event('session.ended', session(own('sess_1'), { status: 'ended', updated_at: at + 5 }), at + 5),
    event(
      'email.created',
      {
        id: own('ema_1'),
        user_id: id,
        to_email_address: mail,
        subject: value('subject'),
        body: value('body'),
        body_plain: value('plain'),
        data: { name: value('data') },
        updated_at: at,
      },
      at,
    ),
    event(
      'sms.created',
      {
        id: own('sms_1'),
        user_id: id,
        to_phone_number: user.phone_numbers?.[0]?.phone_number,
        message: value('message'),
        updated_at: at,
      },
      at,
    ),
    event(
      'organizationMembership.created',
      {
        id: own('orgmem_1'),
        public_user_data: publicData,
        public_metadata: { title: value('title') },
        private_metadata: {},
        updated_at: at,
      },
      at,
    ),
    event(
      'organizationInvitation.created',
      {
        id: own('orginv_1'),
        email_address: mail,
        public_metadata: { why: value('why') },
        inviter_id: null,
        public_inviter_data: null,
        user_id: null,
        updated_at: at,
      },
      at,
    ),
    event(
      'organizationInvitation.created',
      {
        id: own('orginv_2'),
        email_address: `${invitee}@example.com`,
        inviter_id: id,
        public_inviter_data: publicData,
        user_id: null,
        updated_at: at,
      },
      at,
    ),
    event(
      'waitlistEntry.created',
      { id: own('waitl_1'), email_address: mail, invitation: null, updated_at: at },
      at,
    ),
    event(
      'subscription.created',
      { id: own('sub_1'), payer, payer_id: own('cpayer_1'), items: [], updated_at: at },
      at,
    ),
    event(
      'paymentAttempt.created',
      { id: own('pay_1'), payer, payment_source: { id: 'src_1', last4: value('card') }, updated_at: at },
      at,
    ),
    // Of a type that this version does not know: it is parked.
    {
      type: 'user.promoted',
      object: 'event',
      timestamp: at,
      ...base,
      data: { id: own('prom_1'), user_id: id, name: value('parked'), updated_at: at },
    },
  ] as ClerkEvent[]
  const late = [
    event(
      'user.updated',
      { ...whole(), updated_at: at + 60_000, first_name: value('latefirst') },
      at + 60_000,
    ),
    event('session.created', session(own('sess_2'), { updated_at: at + 60_000 }), at + 60_000),
    event(
      'email.created',
      { id: own('ema_2'), user_id: id, to_email_address: mail, body: value('latebody'), updated_at: at },
      at,
    ),
    event(
      'organizationMembership.updated',
      { id: own('orgmem_1'), public_user_data: publicData, updated_at: at + 60_000 },
      at + 60_000,
    ),
    event(
      'organizationMembership.deleted',
      { id: own('orgmem_3'), public_user_data: publicData, updated_at: at + 60_000 },
      at + 60_000,
    ),
    event(
      'organizationInvitation.accepted',
      { id: own('orginv_1'), email_address: mail, user_id: id, updated_at: at + 60_000 },
      at + 60_000,
    ),
    event(
      'organizationInvitation.revoked',
      {
        id: own('orginv_2'),
        email_address: `${invitee}@example.com`,
        status: 'revoked',
        inviter_id: id,
        public_inviter_data: publicData,
        updated_at: at + 60_000,
      },
      at + 60_000,
    ),
    event(
      'subscription.updated',
      { id: own('sub_1'), payer, payer_id: own('cpayer_1'), items: [], updated_at: at + 60_000 },
      at + 60_000,
    ),
  ] as ClerkEvent[]
  return { id, values, events, late, invitee, idOf: own }
}

function member(id: string, field: string, value: string) {
  return {
    id,
    [field]: value,
    verification: { status: 'verified' },
    created_at: 1_767_268_800_000,
    updated_at: 1_767_268_800_000,
  }
}

/** Everything in the schema, as text; bytes are hexadecimal in it. */
export async function dumpTables(sync: ClerkSync): Promise<string> {
  const { schema } = sync.location
  const { sql } = await import('kysely')
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = ${schema} and table_type = 'BASE TABLE'`.execute(sync.database)
  const texts: string[] = []
  for (const { name } of tables.rows) {
    const rows = await sql<{
      text: string
    }>`select one::text as text from ${sql.table(`${schema}.${name}`)} as one`.execute(sync.database)
    texts.push(name, ...rows.rows.map(({ text }) => text))
  }
  return texts.join('\n')
}

/** The values that a dump holds, as text or as hexadecimal bytes. */
export function valuesIn(dump: string, values: readonly string[]): string[] {
  return values.filter((value) => dump.includes(value) || dump.includes(Buffer.from(value).toString('hex')))
}
