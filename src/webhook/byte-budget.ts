/**
 * How many bytes of deliveries may be in memory at once. Bytes of strangers, whose signature is not verified yet, have a
 * budget of their own: however many bodies they begin and do not finish, deliveries get through.
 */

import { ClerkSyncError } from '../errors.ts'

/** What one process holds. */
export interface ByteLimits {
  /** The part for verified deliveries, until they are answered. */
  readonly maxQueuedBytes: number
  readonly maxBodyBytes: number
}

/** One client's share of the queue: 8 MiB by default, enough for 2,500 deliveries in transit. */
const CLIENT_PART = 1 / 8
/** However small that is, a body of the largest size is not alone. */
const MIN_BODIES = 2
/** Clients that may use up their part at once. */
const CLIENTS = 4

/** The bytes of one body, from the first that arrives to the answer. */
export interface ByteShare {
  /**
   * Counts bytes before they are kept.
   * @throws {ClerkSyncError} `bodies_crowded` if this body is the one that must make room
   */
  hold(bytes: number): void
  /** Called when the body is evicted later to make room for others. */
  onCrowdedOut: (error: ClerkSyncError) => void
  /**
   * The signature is verified: the bytes count as a delivery's from now on.
   * @throws {ClerkSyncError} `overloaded`
   */
  accept(): void
  close(): void
}

export class ByteBudget {
  readonly #maxQueued: number
  readonly #maxPerClient: number
  readonly #clients = new Map<string | undefined, Client>()
  #queued = 0
  #unverified = 0

  constructor({ maxQueuedBytes, maxBodyBytes }: ByteLimits) {
    this.#maxQueued = maxQueuedBytes
    this.#maxPerClient = Math.max(CLIENT_PART * maxQueuedBytes, MIN_BODIES * maxBodyBytes)
  }

  /** A share for one body. @param client whose it is; undefined if nobody knows, which is limited by the whole alone */
  open(client?: string): ByteShare {
    let accepted = 0
    const body: Body = { client, bytes: 0, share: { onCrowdedOut: () => undefined } }
    return Object.assign(body.share, {
      hold: (bytes: number) => this.#hold(body, bytes),
      accept: () => {
        if (this.#queued + body.bytes > this.#maxQueued) throw new ClerkSyncError('overloaded')
        accepted = body.bytes
        this.#queued += accepted
        this.#release(body)
      },
      close: () => {
        this.#queued -= accepted
        accepted = 0
        this.#release(body)
      },
    })
  }

  #hold(body: Body, bytes: number): void {
    const client = this.#clients.get(body.client) ?? { bytes: 0, bodies: new Set() }
    this.#clients.set(body.client, client)
    client.bodies.add(body)
    client.bytes += bytes
    body.bytes += bytes
    this.#unverified += bytes
    if (body.client !== undefined && client.bytes > this.#maxPerClient) this.#crowdOut(client, body)
    if (this.#unverified > CLIENTS * this.#maxPerClient) this.#crowdOut(largest(this.#clients.values()), body)
  }

  /**
   * The largest body makes room, the oldest of equals: Clerk's bodies have some KB, and those that wait for their end
   * grow old, so that a delivery is the last to suffer.
   */
  #crowdOut(client: Client, newcomer: Body): void {
    const body = largest(client.bodies)
    this.#release(body)
    const error = new ClerkSyncError('bodies_crowded')
    if (body === newcomer) throw error
    body.share.onCrowdedOut(error)
  }

  #release(body: Body): void {
    const client = this.#clients.get(body.client)
    if (!client?.bodies.delete(body)) return
    this.#unverified -= body.bytes
    client.bytes -= body.bytes
    body.bytes = 0
    if (client.bodies.size === 0) this.#clients.delete(body.client)
  }
}

interface Body {
  readonly client: string | undefined
  bytes: number
  readonly share: Pick<ByteShare, 'onCrowdedOut'>
}

interface Client {
  bytes: number
  /** In the order in which they began. */
  readonly bodies: Set<Body>
}

/** The first of those with the most bytes. */
function largest<Held extends { readonly bytes: number }>(all: Iterable<Held>): Held {
  const [first, ...others] = all
  return others.reduce((most, each) => (each.bytes > most.bytes ? each : most), first as Held)
}
