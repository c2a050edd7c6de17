/**
 * The session of somebody who signed in with the token: a cookie that says until when, and a seal that only the token can
 * make. Nothing is stored, any process can check it, and a new token ends every session.
 */

import { createHmac, hash, timingSafeEqual } from 'node:crypto'

const COOKIE = 'clerk_sync_session'
const LIFETIME_MS = 12 * 3_600_000

export class Sessions {
  readonly #token: string
  readonly #key: Buffer

  constructor(token: string) {
    this.#token = token
    this.#key = hash('sha256', `clerk-sync dashboard session ${token}`, 'buffer')
  }

  /** In constant time, whatever the lengths. */
  isToken(candidate: string): boolean {
    return isSame(candidate, this.#token)
  }

  isValid(cookies: string | null, now: number): boolean {
    const value = readCookie(cookies)
    const [end = '', seal = ''] = value?.split('.') ?? []
    return isSame(seal, this.#seal(end)) && Number(end) > now
  }

  /** The header that begins a session. */
  begin(path: string, isSecure: boolean, now: number): string {
    const end = String(now + LIFETIME_MS)
    return cookie(`${end}.${this.#seal(end)}`, path, isSecure, LIFETIME_MS / 1_000)
  }

  #seal(end: string): string {
    return createHmac('sha256', this.#key).update(end).digest('base64url')
  }
}

/** The header that ends a session. */
export function endSession(path: string, isSecure: boolean): string {
  return cookie('', path, isSecure, 0)
}

function cookie(value: string, path: string, isSecure: boolean, maxAge: number): string {
  const secure = isSecure ? '; Secure' : ''
  return `${COOKIE}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`
}

function readCookie(cookies: string | null): string | undefined {
  const pairs = (cookies ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
}

/** By their hashes, which are of one length. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
