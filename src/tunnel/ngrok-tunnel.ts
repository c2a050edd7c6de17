/** The tunnel of ngrok’s library, which the app installs. */

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ProblemError } from '../explanations/problems.ts'
import type { Tunnel, TunnelOptions } from './tunnel.ts'

const PACKAGE = '@ngrok/ngrok'

/** What is used of the library. */
interface Ngrok {
  forward(options: {
    readonly addr: string
    readonly authtoken_from_env: true
    readonly on_status_change: (address: string, error: string) => void
  }): Promise<{ url(): string | null; close(): Promise<void> }>
}

export async function openNgrokTunnel({ route, notify, environment }: TunnelOptions): Promise<Tunnel> {
  if (!environment.NGROK_AUTHTOKEN) throw new ProblemError('tunnel_token_missing')
  const ngrok = await load()
  const listener = await ngrok
    .forward({
      addr: route.host,
      authtoken_from_env: true,
      on_status_change: (_, error) => {
        if (error) notify(`ngrok: ${error}`)
      },
    })
    .catch((error) => {
      throw new ProblemError('tunnel_failed', error instanceof Error ? error.message : String(error))
    })
  return { url: new URL(route.pathname, listener.url() ?? undefined).href, close: () => listener.close() }
}

/** The app’s, whichever way clerk-sync was started. */
async function load(): Promise<Ngrok> {
  const require = createRequire(join(process.cwd(), 'package.json'))
  let path: string
  try {
    path = require.resolve(PACKAGE)
  } catch {
    throw new ProblemError('tunnel_package_missing')
  }
  const loaded = (await import(pathToFileURL(path).href)) as Ngrok & { readonly default?: Ngrok }
  return loaded.default ?? loaded
}
