/**
 * The part of Svix that Clerk's customers see: a link that logs in once, the exchange of its token, and the list of endpoints.
 * Clerk makes the link; the portal finds Svix's API below its own origin.
 */

import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Random } from '../random.ts'
import { type Answer, ok } from './answers.ts'

/** A webhook endpoint of an instance, as its portal shows it. */
export interface SimulatedEndpoint {
  readonly url: string
  /**
   * Whether it is switched off, as Svix does after five days of failures.
   * @default false
   */
  readonly disabled?: boolean | undefined
  /**
   * The event types that are ticked.
   * @default all
   */
  readonly filterTypes?: readonly string[] | undefined
}

const APP = 'app_simulated'
const API = '/api/us/api/v1'

export class Portal {
  endpoints: readonly SimulatedEndpoint[] = [{ url: 'https://app.example.com/api/webhooks/clerk' }]
  readonly #random: Random
  /** Each is good for one login. */
  readonly #oneTimeTokens = new Set<string>()
  readonly #tokens = new Set<string>()

  constructor(random: Random) {
    this.#random = random
  }

  /** A link that logs in once. */
  createLink(origin: string): string {
    const oneTimeToken = this.#newToken('ott', this.#oneTimeTokens)
    const key = Buffer.from(JSON.stringify({ appId: APP, oneTimeToken, region: 'us' })).toString('base64')
    return `${origin}/login#key=${encodeURIComponent(key)}`
  }

  /** What Svix answers; undefined if the path is none of its API. */
  async answer(request: IncomingMessage, path: string): Promise<Answer | undefined> {
    const { method, headers } = request
    if (!path.startsWith(API)) return undefined
    const route = `${method} ${path.slice(API.length)}`
    if (route === 'POST /auth/one-time-token') return this.#exchange(await text(request))
    if (!this.#tokens.has(headers.authorization?.replace('Bearer ', '') ?? '')) return failed(401)
    if (route !== `GET /app/${APP}/endpoint`) return failed(404)
    return ok({ data: this.endpoints.map(toShown), iterator: null, prevIterator: null, done: true })
  }

  #exchange(body: string): Answer {
    const { oneTimeToken } = JSON.parse(body) as { oneTimeToken?: string }
    if (!this.#oneTimeTokens.delete(oneTimeToken ?? '')) return failed(401)
    return ok({ token: this.#newToken('appsk', this.#tokens) })
  }

  #newToken(prefix: string, tokens: Set<string>): string {
    const token = `${prefix}_${Buffer.from(this.#random.bytes(24)).toString('hex')}`
    tokens.add(token)
    return token
  }
}

function toShown({ url, disabled = false, filterTypes = [] }: SimulatedEndpoint, index: number) {
  return {
    id: `ep_${index}`,
    url,
    version: 1,
    disabled,
    filterTypes: filterTypes.length > 0 ? filterTypes : null,
  }
}

/** Svix's errors have another shape than Clerk's. */
function failed(status: number): Answer {
  return {
    status,
    body: Buffer.from(JSON.stringify({ code: 'authentication_failed', detail: 'Unauthorized' })),
  }
}
