/** Where a server listens: how it is said, and how it is shown. */

import { InvalidArgumentError } from 'commander'

// Compose files pass on a variable that is not set as an empty one; as a host it would mean all of them.

export function parseHost(text: string, previous: string): string {
  return text === '' ? previous : text
}

/** A TCP port; 0 means any free one. */
export function parsePort<Default>(text: string, previous: Default): number | Default {
  if (text === '') return previous
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}

/** `http://localhost:4848`, also for every other address that means this machine: a browser cannot open 0.0.0.0. */
export function originOf(host: string, port: number): string {
  const isLocal = isLoopback(host) || host === '0.0.0.0' || host === '::'
  const name = isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** Whether nobody but this machine reaches it. */
export function isLoopback(host: string): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(host)
}
