/** A TCP proxy in front of a server, that can fail as networks do. */

import { connect, createServer, type Server, type Socket } from 'node:net'

export class TcpProxy {
  #target: { host: string; port: number }
  readonly #server: Server
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>()
  /** New connections are cut at once, as if nobody listened. */
  refuses = false
  /** Bytes go nowhere, in both directions, and no connection ends. */
  isSilent = false
  readonly #dead = new WeakSet<object>()
  /** What the server answers waits this long. */
  delayMs = 0
  /** How often a client sent something after it had its answer to what it sent before. */
  roundTrips = 0
  /** Called with what the client sends; true means: deliver it, but cut the connection before the answer. */
  cutAfter: ((sent: Buffer) => boolean) | undefined

  static async to(target: URL): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port || 5432) }
    this.#server = createServer((client) => this.#accept(client))
  }

  /** The target's address, through the proxy. */
  url(target: URL): string {
    const url = new URL(target)
    url.hostname = '127.0.0.1'
    url.port = String((this.#server.address() as { port: number }).port)
    return url.href
  }

  /** New connections go elsewhere, as when a name's address changes; open ones stay. */
  retarget(target: URL): void {
    this.#target = { host: target.hostname, port: Number(target.port || 5432) }
  }

  /** Ends every open connection, as a restart of the server does. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
  }

  /** Open connections go dead without a word, as when a firewall forgets them; new ones work. */
  silence(): void {
    for (const pair of this.#pairs) this.#dead.add(pair)
  }

  /** What a server sees of a client's process that is killed: what was sent arrives, then every connection ends. */
  kill(): void {
    this.refuses = true
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.end()
    }
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    if (this.refuses) {
      client.destroy()
      return
    }
    const upstream = connect(this.#target)
    const pair = { client, upstream }
    this.#pairs.add(pair)
    let isCut = false
    let isAnswered = true
    client.on('data', (sent) => {
      if (this.isSilent || this.#dead.has(pair)) return
      if (isAnswered) this.roundTrips++
      isAnswered = false
      isCut ||= this.cutAfter?.(sent) ?? false
      if (upstream.writable) upstream.write(sent)
    })
    upstream.on('data', (answer) => {
      if (this.isSilent || this.#dead.has(pair)) return
      // Later, so that the server comes to the end of what it was sent.
      if (isCut) setTimeout(() => client.destroy(), 100)
      else
        setTimeout(() => {
          isAnswered = true
          if (client.writable) client.write(answer)
        }, this.delayMs)
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#pairs.delete(pair)
        if (!this.isSilent && !this.#dead.has(pair)) other.destroy()
      })
    }
  }
}
