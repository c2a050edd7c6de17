/** Opens and closes a tunnel while `dev` runs. */

import { openClerkTunnel } from '../../tunnel/clerk-tunnel.ts'
import { openNgrokTunnel } from '../../tunnel/ngrok-tunnel.ts'
import type { Tunnel } from '../../tunnel/tunnel.ts'
import type { Output } from '../output.ts'
import { detail, step } from '../serving.ts'
import { printable } from '../text.ts'

const OPENERS = { clerk: openClerkTunnel, ngrok: openNgrokTunnel } as const
export type TunnelKind = keyof typeof OPENERS
export const TUNNELS = Object.keys(OPENERS) as readonly TunnelKind[]

export class TunnelSession {
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

  /** @throws {ProblemError} `tunnel_…` */
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
    this.#tunnel = await OPENERS[kind]({
      route: this.#route,
      environment: process.env,
      notify: (message) => this.#output.note(`  ! ${message}`),
      onLost: (reason) => this.#lose(printable(reason)),
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
