/** The tunnel of the Clerk CLI. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProblemError } from '../explanations/problems.ts'
import type { Tunnel, TunnelOptions } from './tunnel.ts'

/** It finishes what is under way within two seconds. */
const GRACE_MS = 3_000
const MAX_COMPLAINT = 500

type Relay = ChildProcessByStdio<null, Readable, Readable>

export async function openClerkTunnel({ route, notify, onLost }: TunnelOptions): Promise<Tunnel> {
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
    resolve(
      code === 'ENOENT' ? new ProblemError('tunnel_cli_missing') : new ProblemError('tunnel_failed', message),
    ),
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
  return () => text.trim().replaceAll(/\s+/g, ' ')
}

/** With `--json` it also complains in JSON; an older version does not know the command at all. */
function failure(complaint: string): ProblemError {
  const { error } = parse(complaint) as { error?: { message?: string } }
  return new ProblemError(
    'tunnel_failed',
    (error?.message ?? complaint) || '`clerk webhooks listen` exited without a message',
  )
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
