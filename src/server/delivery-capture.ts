/** Listens in on a sync: keeps the bytes and headers of a delivery while it is taken, and passes on the committed ones. */

import type { ClerkSync, RawBody, RequestHeaders, WebhookRequest } from '../index.ts'

/** A delivery as it came. */
export interface CapturedDelivery {
  readonly svixId: string
  /** Their names in lower case, without those of the connection. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer>
}

/** Those of the connection, which are not the sender’s: the next hop has its own. */
const HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

export class DeliveryCapture {
  /** What is being taken. */
  readonly #underWay = new Map<string, CapturedDelivery>()
  readonly #onTaken: (delivery: CapturedDelivery) => void

  /** @param onTaken called with each committed delivery */
  constructor(onTaken: (delivery: CapturedDelivery) => void = () => undefined) {
    this.#onTaken = onTaken
  }

  /** A delivery that is being taken, by its id. */
  find(svixId: string): CapturedDelivery | undefined {
    return this.#underWay.get(svixId)
  }

  /** The same sync, listened in on. */
  on(sync: ClerkSync): ClerkSync {
    const captured: Partial<ClerkSync> = {
      handle: (request) => this.#handle(sync, request),
      receive: (body, headers) =>
        this.#listen(body, headers, (copied) => sync.receive(copied, headers), Boolean),
    }
    return new Proxy(sync, {
      get(target, name) {
        const own = Reflect.get(captured, name)
        if (own !== undefined) return own
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #handle(sync: ClerkSync, request: WebhookRequest) {
    const { body, headers } = request
    if (body === null) return sync.handle(request)
    const handle = (copied: RawBody) => sync.handle({ ...request, body: copied })
    return this.#listen(body, headers, handle, ({ status }) => status === 200)
  }

  async #listen<Result>(
    body: RawBody,
    headers: RequestHeaders,
    take: (body: RawBody) => Promise<Result>,
    isTaken: (result: Result) => boolean,
  ): Promise<Result> {
    const own = ownHeaders(headers)
    const svixId = own['svix-id'] ?? own['webhook-id'] ?? ''
    let copy: CapturedDelivery | undefined
    const keep = (bytes: Uint8Array<ArrayBuffer>) => {
      copy = { svixId, headers: own, body: bytes }
      this.#underWay.set(svixId, copy)
    }
    try {
      const result = await take(collecting(body, keep))
      if (copy && isTaken(result)) this.#onTaken(copy)
      return result
    } finally {
      if (copy && this.#underWay.get(svixId) === copy) this.#underWay.delete(svixId)
    }
  }
}

/** A body that tells its bytes once all were read. */
function collecting(body: RawBody, keep: (bytes: Uint8Array<ArrayBuffer>) => void): RawBody {
  if (typeof body === 'object' && Symbol.asyncIterator in body) return collectingStream(body, keep)
  keep(typeof body === 'string' ? Buffer.from(body) : new Uint8Array(body))
  return body
}

async function* collectingStream(
  body: AsyncIterable<Uint8Array>,
  keep: (bytes: Uint8Array<ArrayBuffer>) => void,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) {
    // The reader refuses an oversized body before it asks for the next chunk.
    yield chunk
    chunks.push(chunk)
  }
  keep(Buffer.concat(chunks))
}

function ownHeaders(headers: RequestHeaders): Record<string, string> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers)
  const own = entries.filter(([name, value]) => value !== undefined && !HOP.has(name.toLowerCase()))
  return Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
