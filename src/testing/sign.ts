/** Signs deliveries as Svix does, for tests of a webhook route. */

import { randomBytes } from 'node:crypto'
import { parseSecret } from '../webhook/secret.ts'
import { sign } from '../webhook/signature.ts'
import { ksuid } from './ksuid.ts'

export interface SignOptions {
  /** The endpoint's signing secret, `whsec_…`; several sign as Svix does while one replaces the other. */
  secret: string | readonly string[]
  /**
   * The id of the message.
   * @default a fresh one
   */
  svixId?: string | undefined
  /**
   * The time of this attempt.
   * @default now
   */
  at?: Date | undefined
}

/** A request that a webhook route accepts. */
export interface SignedDelivery {
  readonly svixId: string
  readonly headers: {
    readonly 'svix-id': string
    readonly 'svix-timestamp': string
    readonly 'svix-signature': string
  }
  /** The bytes that were signed. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** What is signed, and with what. */
export interface Signable {
  readonly secret: string
  readonly svixId: string
  readonly at: Date
  readonly body: Uint8Array<ArrayBuffer>
}

/** Makes an entry of the signature header: `v1,…`. */
export type Signer = (message: Signable) => string

/**
 * Signs an event, or any body, as one attempt of a delivery.
 *
 * @example
 * const { headers, body } = signDelivery(sampleEvent('user.created'), { secret })
 * const response = await POST(new Request('http://localhost/webhooks', { method: 'POST', headers, body }))
 *
 * @param event an object is signed as its JSON; text and bytes are signed as they are
 * @throws {ClerkSyncError} `secret_…` for a malformed secret
 */
export function signDelivery(event: object | string | Uint8Array, options: SignOptions): SignedDelivery {
  return signBody(toBody(event), options, ownSigner)
}

/** As {@link signDelivery}, with a signer of choice. */
export function signBody(
  body: Uint8Array<ArrayBuffer>,
  { secret, svixId = createSvixId(), at = new Date() }: SignOptions,
  signer: Signer,
): SignedDelivery {
  const entries = [secret].flat().map((each) => signer({ secret: each, svixId, at, body }))
  const headers = {
    'svix-id': svixId,
    'svix-timestamp': String(toSeconds(at)),
    'svix-signature': entries.join(' '),
  }
  return { svixId, headers, body }
}

/** A fresh signing secret, as Clerk's dashboard shows one. */
export function createSigningSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`
}

/** A fresh id of a message. Never from a seed: a second run's events would be taken for duplicates of the first's. */
export function createSvixId(): string {
  return `msg_${ksuid(Date.now(), randomBytes(16))}`
}

export function toBody(event: object | string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (event instanceof Uint8Array) return new Uint8Array(event)
  return Buffer.from(typeof event === 'string' ? event : JSON.stringify(event))
}

export function ownSigner({ secret, svixId, at, body }: Signable): string {
  return `v1,${sign(svixId, toSeconds(at), body, parseSecret(secret).key)}`
}

function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
