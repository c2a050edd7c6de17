/** Events → the bytes of signed HTTP requests. All of it happens before the clock starts. */

import { createHmac } from 'node:crypto'
import type { Unsigned } from './events.ts'
import { newId } from './ids.ts'

/** The secret of all endpoints. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A request as it goes over the wire. */
export interface SignedRequest {
  /** The message's id for Clerk's events; the resource's for Stripe's. */
  readonly id: string
  readonly subject: string
  readonly bytes: Buffer
}

const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64')

/** As Svix sends Clerk's events. */
export function svixRequest({ subject, body }: Unsigned): SignedRequest {
  const id = newId('msg')
  const timestamp = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64')
  const bytes = post(body, {
    'user-agent': 'Svix-Webhooks/1.62.0',
    'svix-id': id,
    'svix-timestamp': String(timestamp),
    'svix-signature': `v1,${signature}`,
  })
  return { id, subject, bytes }
}

/** As Stripe sends its own. */
export function stripeRequest({ subject, body }: Unsigned): SignedRequest {
  const timestamp = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex')
  const bytes = post(body, {
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'stripe-signature': `t=${timestamp},v1=${signature}`,
  })
  return { id: subject, subject, bytes }
}

function post(body: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({
    host: '127.0.0.1',
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST /webhooks HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}
