/** The tunnels that there are, by name. */

import type { Tunnel, TunnelOptions } from './tunnel.ts'
import { openClerkTunnel } from './tunnel-clerk.ts'
import { openNgrokTunnel } from './tunnel-ngrok.ts'

export const TUNNELS = ['clerk', 'ngrok'] as const
export type TunnelKind = (typeof TUNNELS)[number]

export const OPEN_TUNNEL: Readonly<Record<TunnelKind, (options: TunnelOptions) => Promise<Tunnel>>> = {
  clerk: openClerkTunnel,
  ngrok: openNgrokTunnel,
}
