/** What lets its reader sign in as somebody else must not be at rest anywhere; everything around it must. */

import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { secretsIn } from '../../src/clerk/catalogue.ts'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn } from '../support/ledger.ts'
import { findRow, placesOf } from './rows.ts'

const T = 1_800_000_000_000
const TICKET = 'eyJhbGciOiJIUzI1NiJ9.dGlja2V0LWNhbmFyeQ.c2lnbmF0dXJl'

interface Case {
  readonly event: ClerkEvent
  readonly secrets: readonly string[]
  readonly kept: readonly string[]
}

const email = (data: object) =>
  eventOf('email.created', { subject: 'Hello', body: '', body_plain: '', ...data })
const phone = (backup_codes: unknown) => ({ id: 'idn_phone', phone_number: '+15555550177', backup_codes })

const CASES: Readonly<Record<string, Case>> = {
  'a one-time code in an e-mail': {
    event: email({
      id: 'ema_code',
      subject: '482915 is your code',
      body: '<p style="color:#112233">Your code is <b>482915</b>, Ada.</p>',
      body_plain: 'Your code is 482915, Ada.',
      data: { otp_code: '482915', app: { name: 'Acme' }, requested_by: 'Chrome, London' },
    }),
    secrets: ['482915'],
    kept: ['is your code', 'color:#112233', ', Ada.', 'Acme', 'Chrome, London'],
  },
  'a code that is a number, not text': {
    event: email({ id: 'ema_number', body_plain: 'Code: 482916', data: { otp_code: 482916, count: 31 } }),
    secrets: ['482916'],
    kept: ['31'],
  },
  'one code of a list': {
    event: email({
      id: 'ema_list',
      body_plain: 'a4f9-k2m7 and b8x1-p5q3',
      data: { codes: ['a4f9-k2m7', 'b8x1-p5q3'] },
    }),
    secrets: ['a4f9-k2m7', 'b8x1-p5q3'],
    kept: [' and '],
  },
  'a code of another length': {
    event: email({ id: 'ema_long', body_plain: 'Use K7QX-92MF today', data: { otp_code: 'K7QX-92MF' } }),
    secrets: ['K7QX-92MF'],
    kept: ['today'],
  },
  'a code deep inside the variables': {
    event: email({ id: 'ema_deep', data: { app: { a: [{ verification_token: TICKET }] }, name: 'Deep' } }),
    secrets: [TICKET],
    kept: ['Deep'],
  },
  'a code under a key that means something to JavaScript': {
    event: email({
      id: 'ema_proto',
      data: JSON.parse('{"__proto__":{"otp_code":"hq3-canary"},"name":"Proto"}'),
    }),
    secrets: ['hq3-canary'],
    kept: ['Proto'],
  },
  'a magic link, also escaped for HTML': {
    event: email({
      id: 'ema_link',
      body: `<a href="https://clerk.acme.test/v1/verify?_v=4&amp;token=${TICKET}&amp;redirect_url=https%3A%2F%2Facme.test">Sign in</a>`,
      body_plain: `Sign in: https://clerk.acme.test/v1/verify?_v=4&token=${TICKET}&lang=en`,
      data: { magic_link: `https://clerk.acme.test/v1/verify?token=${TICKET}`, device: 'Chrome' },
    }),
    secrets: [TICKET],
    kept: ['Sign in', 'lang=en', 'redirect_url=https%3A%2F%2Facme.test', 'Chrome'],
  },
  'a ticket inside the address that a link leads to': {
    event: email({
      id: 'ema_nested',
      body_plain: `https://acme.test/go?to=https%3A%2F%2Facme.test%2Faccept%3F__clerk_ticket%3D${TICKET}%26x%3D1 now`,
      data: { action_url: `https://acme.test/accept#/?__clerk_ticket=${TICKET}` },
    }),
    secrets: [TICKET],
    kept: ['https://acme.test/go?to=', 'x%3D1 now'],
  },
  'a one-time code in an SMS': {
    event: eventOf('sms.created', {
      id: 'sms_code',
      message: '739104 is your Acme verification code. Do not share this.',
      data: { otp_code: '739104' },
    }),
    secrets: ['739104'],
    kept: ['Do not share this.', '+15555550100'],
  },
  'the ticket of an invitation into an organization': {
    event: eventOf('organizationInvitation.created', {
      id: 'orginv_ticket',
      url: `https://clerk.acme.test/v1/tickets/accept?ticket=${TICKET}`,
    }),
    secrets: [TICKET, 'tickets/accept'],
    kept: ['bob@example.com', 'org:member'],
  },
  'the ticket of an invitation inside a waitlist entry': {
    event: eventOf('waitlistEntry.updated', {
      id: 'wle_ticket',
      status: 'invited',
      invitation: {
        id: 'inv_ticket',
        email_address: 'eve@example.com',
        url: `https://clerk.acme.test/v1/tickets/accept?ticket=${TICKET}`,
        updated_at: T,
      },
    }),
    secrets: [TICKET, 'tickets/accept'],
    kept: ['inv_ticket', 'eve@example.com'],
  },
  'the backup codes of a phone number': {
    event: eventOf('user.updated', {
      id: 'user_codes',
      phone_numbers: [phone(['bkp7x2canary', 'bkp9y4canary'])],
    }),
    secrets: ['bkp7x2canary', 'bkp9y4canary'],
    kept: ['+15555550177', 'ada@example.com'],
  },
  'the backup codes inside a session’s user': {
    event: eventOf('session.created', {
      id: 'sess_codes',
      user: {
        id: 'user_session_codes',
        updated_at: T,
        email_addresses: [],
        phone_numbers: [{ ...phone(null), id: 'idn_none' }, phone(['bkp5z8canary'])],
        first_name: 'Session user',
      },
    }),
    secrets: ['bkp5z8canary'],
    kept: ['Session user', '+15555550177'],
  },
}

describeEachDatabase('a secret', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  it.each(Object.entries(CASES))('is nowhere at rest: %s', async (_, { event, secrets, kept }) => {
    const { svixId, outcome } = await deliver(sync, event)
    expect(outcome).toBe('applied')
    expect(await findRow(sync, 'events', svixId)).toMatchObject({ redacted: true })
    for (const secret of secrets) expect(await placesOf(sync, secret)).toEqual([])
    for (const text of kept) expect(await placesOf(sync, text)).toContain('event_bodies.body')
  })

  it.each(Object.entries(CASES))('is nowhere after a replay: %s', async (_, { event, secrets }) => {
    const { svixId } = await deliver(sync, event)
    expect(await sync.replay({ ids: [svixId] })).toMatchObject({ matched: 1, failed: 0, parked: 0 })
    for (const secret of secrets) expect(await placesOf(sync, secret)).toEqual([])
  })

  it('is in no record of what an event changed', async () => {
    const codes = (code: string, at: number) =>
      eventOf('user.updated', {
        id: 'user_changed_codes',
        updated_at: T + at,
        phone_numbers: [phone([code])],
      })
    await deliver(sync, codes('bkp1acanary', 1))
    const { changes } = await deliver(sync, codes('bkp2bcanary', 2))
    expect(JSON.stringify(changes)).not.toContain('canary')
    for (const code of ['bkp1acanary', 'bkp2bcanary']) expect(await placesOf(sync, code)).toEqual([])
  })

  it('is at rest neither when the event is parked for its instance nor when its resource is not kept', async () => {
    const choosy = await database.open({ instanceId: 'ins_ours', resources: ['organizations'] })
    const foreign = email({ id: 'ema_foreign', body_plain: 'Code 551928', data: { otp_code: '551928' } })
    const ignored = { ...email({ id: 'ema_ignored', body_plain: 'Code 551929' }), instance_id: 'ins_ours' }
    expect(await deliver(choosy, foreign)).toMatchObject({ outcome: 'parked' })
    expect(await deliver(choosy, ignored)).toMatchObject({ outcome: 'ignored' })
    expect(await placesOf(choosy, '55192')).toEqual([])
  })

  it('is not at rest when the database refuses the event either', async () => {
    const emails = sql.id(sync.location.schema, 'emails')
    await sql`alter table ${emails} add constraint no_forbidden check (slug <> 'forbidden')`.execute(
      sync.database,
    )
    const refused = email({
      id: 'ema_refused',
      slug: 'forbidden',
      subject: '661203',
      data: { otp_code: '661203' },
    })
    expect(await deliver(sync, refused)).toMatchObject({ outcome: 'failed' })
    expect(await placesOf(sync, '661203')).toEqual([])
  })

  it('leaves the body of an event without one exactly as it was signed', async () => {
    const event = JSON.stringify(
      eventOf('user.created', { id: 'user_exact', phone_numbers: [phone(null)] }),
      null,
      1,
    )
    const { svixId } = await deliver(sync, event)
    const { redacted, body } = await eventIn(sync, svixId)
    expect(redacted).toBe(false)
    expect(Buffer.from(body as Uint8Array).toString()).toBe(event)
  })
})

describe('what only looks like a code', () => {
  const CODELESS = [
    'Invoice 20261123-000412, 1234567.00 USD',
    'color: #123456; width: 123456px',
    'tel 1234567, 12345',
    'https://acme.test/?codec=h264&tokens=3',
    'order-123456',
  ]

  it.each(CODELESS)('stays: %s', (text) => {
    expect(secretsIn(email({ body: text, body_plain: text, data: { note: text } }))).toEqual([])
  })
})
