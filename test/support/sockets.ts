/** Raw TCP, for what an HTTP client would never send, and for a database that goes away. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { SignedRequest } from './deliveries.ts'

/** A delivery as it looks on the wire; `sent` says how many bytes of the body go along. */
export function rawDelivery(
  { headers, body }: SignedRequest,
  { path = '/api/webhooks/clerk', sent = body.length } = {},
): string {
  const all = Object.entries({ host: 'localhost', 'content-length': String(body.length), ...headers })
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body.slice(0, sent)}`
}

/** A connection that sends exactly what it is told. */
export class RawConnection {
  readonly #socket: Socket
  #received = ''

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk) => {
      this.#received += chunk
    })
    // A server that refuses a body may reset the connection; what it answered counts.
    this.#socket.on('error', () => undefined)
  }

  async opened(): Promise<this> {
    if (this.#socket.connecting) await once(this.#socket, 'connect')
    return this
  }

  send(text: string | Uint8Array): this {
    this.#socket.write(text)
    return this
  }

  /** What was received until the other side closed the connection. */
  async untilClosed(): Promise<string> {
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once('close', resolve))
    return this.#received
  }

  /** What was received once it contains the text. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#socket.closed) throw new Error(`closed after ${JSON.stringify(this.#received)}`)
      await Promise.race([once(this.#socket, 'data'), new Promise((r) => this.#socket.once('close', r))])
    }
    return this.#received
  }

  get isClosed(): boolean {
    return this.#socket.closed
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** A proxy in front of a TCP server, which can be cut and restored. */
export async function createTcpProxy(target: { host: string; port: number }) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const upstream = connect(target.port, target.host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    return client.pipe(upstream).pipe(client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    /** Lets what was sent wait for ever, as a host that vanished does. */
    freeze: () => {
      for (const socket of sockets) socket.pause()
    },
    restore: () => {
      isCut = false
    },
    close: () => {
      cut()
      server.close()
    },
  }
}
