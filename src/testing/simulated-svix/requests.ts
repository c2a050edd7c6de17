/** The requests of a simulated Svix: genuine ones, forged ones, and how they are posted. */

import type { Random } from '../random.ts'
import { createSigningSecret, type SignedDelivery, type Signer, signBody } from '../sign.ts'

/** Brings a request to its receiver and resolves to the status of the answer. */
export type Deliver = (request: SignedDelivery, signal: AbortSignal) => Promise<number>

/** Posts to a URL. A redirect is an answer like any other: Svix does not follow it. */
export function postTo(url: string | URL): Deliver {
  return async ({ headers, body }, signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': USER_AGENT },
      body,
      redirect: 'manual',
      signal,
    })
    // A connection whose answer was not read cannot be used again.
    await response.arrayBuffer()
    return response.status
  }
}

const USER_AGENT = 'Svix-Webhooks/1.0 (simulated)'

/** A request with the id of a genuine one: signed by somebody without the secret, or changed after it was signed. */
export function forge(genuine: SignedDelivery, signer: Signer, random: Random): SignedDelivery {
  const { svixId, body } = genuine
  if (random.chance(0.5)) return signBody(body, { secret: createSigningSecret(), svixId }, signer)
  return { ...genuine, body: new Uint8Array([...body, SPACE]) }
}

/** Changes the bytes of a JSON text and nothing of its meaning. */
const SPACE = 0x20
