/** What a tunnel is: a way in from outside, so that Clerk can reach a machine without an address of its own. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describeProblem, type ProblemCode } from '../../explanations/problems.ts'
import { CommandError } from '../failure.ts'
import type { Output } from '../output.ts'
import { detail, step } from '../serving.ts'
import { printable } from '../text.ts'

interface Tunnel {
  /** What to enter in Clerk’s dashboard. */
  readonly url: string
  close(): Promise<void>
}

interface TunnelOptions {
  /** The webhook route on this machine. */
  readonly route: URL
  /** Told what people should know while it is open. */
  readonly notify: (message: string) => void
  /** Told that it has closed by itself. */
  readonly onLost: (reason: string) => void
}

export const TUNNELS = ['clerk', 'ngrok'] as const
export type TunnelKind = (typeof TUNNELS)[number]

const OPEN_TUNNEL: Readonly<Record<TunnelKind, (options: TunnelOptions) => Promise<Tunnel>>> = {
  clerk: openClerkTunnel,
  ngrok: openNgrokTunnel,
}

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
      notify: (message) => this.#output.note(`  ! ${message}`),
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

/** It finishes what is under way within two seconds. */
const GRACE_MS = 3_000
const MAX_COMPLAINT = 500

type Relay = ChildProcessByStdio<null, Readable, Readable>

async function openClerkTunnel({ route, notify, onLost }: TunnelOptions): Promise<Tunnel> {
  const args = ['webhooks', 'listen', '--json', '--forward-to', route.href]
  // npm’s executables are scripts of the shell on Windows.
  const relay = spawn('clerk', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  const complaint = collect(relay.stderr)
  const ended = endOf(relay)
  const ready = Promise.withResolvers<string>()
  createInterface(relay.stdout).on('line', (line) => {
    const message = parse(line)
    if (message.type === 'ready') ready.resolve(String(message.relay_url))
    if (message.type === 'reconnecting') notify('The tunnel lost its connection and is reconnecting.')
  })
  const failed = ended.then((error) => {
    throw error ?? failure(complaint())
  })
  const url = await Promise.race([ready.promise, failed])
  let isClosing = false
  failed.catch(() => {
    if (!isClosing) onLost(complaint())
  })
  return {
    url,
    close: async () => {
      isClosing = true
      await stop(relay, ended)
    },
  }
}

/** Resolves when it has ended, to the reason if it never began. */
function endOf(relay: Relay): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  relay.once('error', ({ code, message }: NodeJS.ErrnoException) =>
    resolve(code === 'ENOENT' ? problem('tunnel_cli_missing') : problem('tunnel_failed', message)),
  )
  relay.once('close', () => resolve(undefined))
  return promise
}

async function stop(relay: Relay, ended: Promise<unknown>): Promise<void> {
  relay.kill('SIGINT')
  const isLate = await Promise.race([ended.then(() => false), sleep(GRACE_MS, true, { ref: false })])
  if (!isLate) return
  relay.kill('SIGKILL')
  await once(relay, 'close')
}

/** The last of what it says to people. */
function collect(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk) => {
    text = (text + chunk).slice(-MAX_COMPLAINT)
  })
  return () => printable(text.trim().replaceAll(/\s+/g, ' '))
}

/** With `--json` it also complains in JSON; an older version does not know the command at all. */
function failure(complaint: string): CommandError {
  const { error } = parse(complaint) as { error?: { message?: string } }
  return problem(
    'tunnel_failed',
    (error?.message ?? complaint) || '`clerk webhooks listen` exited without a message',
  )
}

type TunnelProblem = Extract<ProblemCode, `tunnel_${string}`>

function problem(code: TunnelProblem, detail?: string): CommandError {
  const { message, remedy } = describeProblem(code, detail)
  return new CommandError(code, message, remedy)
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}

const PACKAGE = '@ngrok/ngrok'

/** What is used of the library. */
interface Ngrok {
  forward(options: {
    readonly addr: string
    readonly authtoken_from_env: true
    readonly on_status_change: (address: string, error: string) => void
  }): Promise<{ url(): string | null; close(): Promise<void> }>
}

async function openNgrokTunnel({ route, notify }: TunnelOptions): Promise<Tunnel> {
  if (!process.env.NGROK_AUTHTOKEN) throw problem('tunnel_token_missing')
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
      throw problem('tunnel_failed', error instanceof Error ? error.message : String(error))
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
    throw problem('tunnel_package_missing')
  }
  const loaded = (await import(pathToFileURL(path).href)) as Ngrok & { readonly default?: Ngrok }
  return loaded.default ?? loaded
}
