/**
 * A sync that is listened in on: what it takes is handed on as it came, its bytes and its headers. They are collected
 * while the sync reads them, so that its limits hold for both.
 */

import type { ClerkSync, RawBody, RequestHeaders, WebhookRequest } from '../../index.ts'

/** A delivery as it came. */
export interface Overheard {
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

export class Overhearing {
  /** What is being taken. */
  readonly #underWay = new Map<string, Overheard>()
  readonly #onTaken: (delivery: Overheard) => void

  /** @param onTaken told of what was committed */
  constructor(onTaken: (delivery: Overheard) => void = () => undefined) {
    this.#onTaken = onTaken
  }

  /** A delivery that is being taken, by its id. */
  find(svixId: string): Overheard | undefined {
    return this.#underWay.get(svixId)
  }

  /** The same sync, listened in on. */
  on(sync: ClerkSync): ClerkSync {
    const overheard: Partial<ClerkSync> = {
      handle: (request) => this.#handle(sync, request),
      receive: (body, headers) =>
        this.#listen(body, headers, (copied) => sync.receive(copied, headers), Boolean),
    }
    return new Proxy(sync, {
      get(target, name) {
        const own = Reflect.get(overheard, name)
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
    let copy: Overheard | undefined
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
    // Whoever reads refuses a chunk that is too much before the next one is asked for.
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
