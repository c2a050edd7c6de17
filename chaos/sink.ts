/** What handlers call outside the database. It notes every call, as a third party would. */

import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'

export class Sink {
  /** How often each event came, by the key that it came with. */
  readonly calls = new Map<string, Map<string, number>>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      try {
        const { eventId, idempotencyKey } = JSON.parse(await text(request))
        this.#note(eventId, idempotencyKey)
        response.end()
      } catch {
        // The caller was killed in the middle of its call.
        response.destroy()
      }
    })
  }

  static async start(): Promise<Sink> {
    const sink = new Sink()
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve))
    return sink
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #note(eventId: string, key: string): void {
    const keys = this.calls.get(eventId) ?? new Map<string, number>()
    keys.set(key, (keys.get(key) ?? 0) + 1)
    this.calls.set(eventId, keys)
  }
}
