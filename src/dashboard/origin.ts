/** Where a request comes from: which name it used, and whether another site's page sent it. */

import { ClerkSyncError } from '../errors.ts'

/** Names of this machine that no other machine's owner can point elsewhere. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Custom headers cannot be sent by a form, and by a script only if this server agrees, which it never does. */
const FORGERY_HEADER = 'x-clerk-sync-csrf'

/** `localhost:4848` → `localhost` */
function hostNameOf(request: Request): string {
  const host = request.headers.get('host') ?? new URL(request.url).host
  return host.toLowerCase().replace(/:\d*$/, '')
}

/**
 * A page of another site can have its own name point to this machine (DNS rebinding), and then read answers as its own.
 * The browser still says which name was used.
 * @throws {ClerkSyncError} `host_unknown`
 */
export function requireHost(request: Request, allowed: ReadonlySet<string>): void {
  const name = hostNameOf(request)
  if (LOOPBACK_NAMES.has(name) || allowed.has(name)) return
  throw new ClerkSyncError('host_unknown', name.slice(0, 100))
}

/**
 * Whether nobody but this machine can have sent it. What passed a proxy or a tunnel says so.
 * @param remoteAddress the other end of the connection, if the server knows it
 */
export function isLocal(request: Request, remoteAddress: string | undefined): boolean {
  const forwarded = request.headers.get('x-forwarded-for')?.split(',') ?? []
  const addresses = [remoteAddress ?? '127.0.0.1', ...forwarded.map((address) => address.trim())]
  return addresses.every(isLoopback) && !request.headers.has('forwarded')
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '')
  return plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain)
}

/** @throws {ClerkSyncError} `request_forged` */
export function requireOwnPage(request: Request): void {
  const { headers } = request
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  const host = headers.get('host') ?? new URL(request.url).host
  // Browsers that are too old for the first send the second; programs send neither.
  const isOwn = site !== null ? site === 'same-origin' : origin === null || hostOf(origin) === host
  if (isOwn && headers.get(FORGERY_HEADER) === '1') return
  throw new ClerkSyncError('request_forged')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

export function isSecure(request: Request): boolean {
  const { headers, url } = request
  return new URL(url).protocol === 'https:' || headers.get('x-forwarded-proto') === 'https'
}

/** Whether a request only asks. */
export function isSafe({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}
