/** The tunnel of a run: opened by an option or a key, closed by the same key or with the run. */

import type { Output } from '../output.ts'
import { detail, step } from '../steps.ts'
import type { Tunnel } from './tunnel.ts'
import { OPEN_TUNNEL, type TunnelKind } from './tunnels.ts'

export class Passage {
  readonly #route: URL
  readonly #output: Output
  #tunnel: Tunnel | undefined
  /** One thing after the other, however fast the key is pressed. */
  #work: Promise<unknown> = Promise.resolve()

  /** @param route the webhook route on this machine */
  constructor(route: URL, output: Output) {
    this.#route = route
    this.#output = output
  }

  get isOpen(): boolean {
    return this.#tunnel !== undefined
  }

  /** @throws {CommandError} `tunnel_…` */
  open(kind: TunnelKind): Promise<void> {
    return this.#next(() => this.#open(kind))
  }

  toggle(kind: TunnelKind): Promise<void> {
    return this.#next(() => (this.#tunnel ? this.#close() : this.#open(kind)))
  }

  close(): Promise<void> {
    return this.#next(() => this.#close())
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return done
  }

  async #open(kind: TunnelKind): Promise<void> {
    if (this.#tunnel) return
    this.#output.note(`  Opening a tunnel with ${kind} …`)
    this.#tunnel = await OPEN_TUNNEL[kind]({
      route: this.#route,
      tell: (message) => this.#output.note(`  ! ${message}`),
      onLost: (reason) => this.#lose(reason),
    })
    this.#announce(kind, this.#tunnel.url)
  }

  #announce(kind: TunnelKind, url: string): void {
    const { json, stdout } = this.#output
    if (json || !stdout.isTerminal) stdout.record({ type: 'tunnel', time: new Date(), kind, url })
    step(this.#output, 'Tunnel', url)
    detail(this.#output, 'Enter it in Clerk Dashboard → Webhooks → Add Endpoint. The signing secret is that')
    detail(this.#output, 'endpoint’s: https://dashboard.clerk.com/last-active?path=webhooks')
  }

  #lose(reason: string): void {
    this.#tunnel = undefined
    const { json, stdout } = this.#output
    if (json || !stdout.isTerminal) stdout.record({ type: 'tunnel', time: new Date(), url: null, reason })
    this.#output.note(`  ! The tunnel has closed. ${reason}`)
  }

  async #close(): Promise<void> {
    const tunnel = this.#tunnel
    this.#tunnel = undefined
    await tunnel?.close()
    if (tunnel) this.#output.note('  The tunnel is closed.')
  }
}
