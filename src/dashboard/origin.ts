/** Where a request comes from: which name it used, and whether another site's page sent it. */

import { ClerkSyncError } from '../errors.ts'
import { networkOf } from '../webhook/network.ts'

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
 * Whether the request can only come from this machine. That takes proof: the address of the socket's other end. What
 * passed a proxy or a tunnel says so.
 * @param remoteAddress the other end of the connection; undefined where the server was not told, which proves nothing
 */
export function isLocal({ headers }: Request, remoteAddress: string | undefined): boolean {
  if (remoteAddress === undefined || headers.has('forwarded') || headers.has('via')) return false
  const realAddress = headers.get('x-real-ip')
  const addresses = [remoteAddress, ...forwardedAddresses(headers), ...(realAddress ? [realAddress] : [])]
  return addresses.every(isLoopback)
}

/**
 * Whose attempts to sign in are counted together; undefined if nothing tells. A proxy on this machine or in a private
 * network stands for all its clients, so that the address which it adds itself, the last one, is taken instead.
 */
export function clientOf({ headers }: Request, remoteAddress: string | undefined): string | undefined {
  if (remoteAddress !== undefined && !isPrivate(remoteAddress)) return networkOf(remoteAddress)
  const address = forwardedAddresses(headers).at(-1) ?? remoteAddress
  return address === undefined ? undefined : networkOf(address)
}

function forwardedAddresses(headers: Headers): string[] {
  const addresses = headers.get('x-forwarded-for')?.split(',') ?? []
  return addresses.map((address) => address.trim())
}

function isLoopback(address: string): boolean {
  const plain = toPlain(address)
  return plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain)
}

function isPrivate(address: string): boolean {
  return isLoopback(address) || /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd])/i.test(toPlain(address))
}

function toPlain(address: string): string {
  return address.replace(/^::ffff:/i, '')
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
