/** The e-mails and SMS messages that Clerk sends. They hold one-time codes and tickets, which are secrets. */

import type { EmailPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import { companyName } from './content.ts'
import type { Instance } from './instance.ts'
import { createUser } from './users.ts'

function codeMail({ random }: Instance): Partial<EmailPayload> {
  const otp_code = random.digits(6)
  return {
    slug: 'verification_code',
    subject: `${otp_code} is your verification code`,
    body: `<style>a{color:#123456}</style><p>Your code: <b>${otp_code}</b></p>`,
    body_plain: `${otp_code} is your verification code`,
    data: { otp_code, app: { name: companyName(random) }, requested_from: 'London, GB' },
  }
}

function linkMail({ random }: Instance): Partial<EmailPayload> {
  const url = `https://example.accounts.dev/v1/verify?_clerk_js_version=5&token=${random.digits(40)}`
  return {
    slug: 'magic_link_sign_in',
    subject: `Sign in to ${companyName(random)}`,
    body: `<a href="${url}">Sign in</a>`,
    body_plain: `Sign in: ${url}`,
    data: { magic_link: url, ttl_minutes: 10 },
  }
}

function noticeMail({ random }: Instance): Partial<EmailPayload> {
  return {
    slug: 'password_changed',
    subject: 'Your password was changed',
    body: `<p>Hello ${companyName(random)}</p>`,
    body_plain: null,
    data: { greeting_name: companyName(random) },
    suppression_reason: null,
  }
}

export const sendEmail = actionOn('users', {
  weight: 4,
  otherwise: createUser,
  run: (instance, user) => {
    const { random } = instance
    const [recipient] = user.email_addresses ?? []
    const content = random.pick([codeMail, linkMail, noticeMail])(instance)
    const email = instance.tables.emails.put({
      object: 'email',
      id: instance.newId('ema'),
      from_email_name: 'notifications',
      reply_to_email_name: null,
      to_email_address: recipient?.email_address ?? 'somebody@example.com',
      email_address_id: recipient?.id ?? null,
      user_id: recipient ? user.id : null,
      status: 'queued',
      delivered_by_clerk: random.chance(0.9),
      ...content,
    })
    instance.send('email.created', email)
  },
})

export const sendSms = actionOn('users', {
  weight: 3,
  otherwise: createUser,
  run: (instance, user) => {
    const { random } = instance
    const [recipient] = user.phone_numbers ?? []
    const otp_code = random.digits(6)
    const message = instance.tables.sms_messages.put({
      object: 'sms_message',
      id: instance.newId('sms'),
      slug: 'verification_code',
      from_phone_number: '+15555550199',
      to_phone_number: recipient?.phone_number ?? '+15555550100',
      phone_number_id: recipient?.id ?? null,
      user_id: recipient ? user.id : null,
      message: `${otp_code} is your verification code. Do not share it.`,
      status: 'queued',
      data: { otp_code },
      delivered_by_clerk: true,
      created_at_ms: instance.now,
    })
    instance.send('sms.created', message)
  },
})
