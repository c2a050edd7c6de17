/**
 * Authenticates requests to the dashboard: by the token, by the host's own sign-in, or, in development, because the
 * request can only come from this machine. Without any of these it stays closed.
 */

import { ClerkSyncError } from '../errors.ts'
import type { SignInProblem } from './api.ts'
import { Attempts } from './attempts.ts'
import { clientOf, isLocal, isSecure, requireHost } from './origin.ts'
import type { Principal } from './principal.ts'
import { endSession, Sessions } from './session.ts'

/** Identifies the user of a request; null if there is none. */
export type Authorize = (request: Request) => Principal | null | Promise<Principal | null>

export interface AccessOptions {
  readonly token: string | undefined
  readonly authorize: Authorize | undefined
  readonly signInUrl: string | undefined
  readonly allowedHosts: readonly string[]
  readonly isProduction: boolean
  /** The path that cookies are for. */
  readonly path: string
  readonly now: () => number
}

/** Facts about the connection of a request. */
export interface Connection {
  /**
   * The address of the socket's other end: proves that a request comes from this machine, and distinguishes clients
   * that guess tokens. Node's server: `request.socket.remoteAddress`; Hono: `getConnInfo(c).remote.address`. {@link
   * toNodeListener} gives it.
   */
  readonly remoteAddress?: string | undefined
}

const LOCAL: Principal = { name: 'local', role: 'admin' }
const TOKEN_HOLDER: Principal = { name: 'token', role: 'admin' }

export class Access {
  readonly #options: AccessOptions
  readonly #sessions: Sessions | undefined
  readonly #attempts: Attempts
  readonly #hosts: ReadonlySet<string>

  constructor(options: AccessOptions) {
    this.#options = options
    this.#sessions = options.token ? new Sessions(options.token) : undefined
    this.#attempts = new Attempts(options.now)
    this.#hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()))
  }

  /** Whether users must sign in. Otherwise only this machine has access, as an admin. */
  get isGuarded(): boolean {
    return this.#sessions !== undefined || this.#options.authorize !== undefined
  }

  /** Whether users sign in with the token. */
  get takesToken(): boolean {
    return this.#sessions !== undefined
  }

  /**
   * Refuses requests that may not even load the page.
   * @throws {ClerkSyncError} `dashboard_closed` or `host_unknown`
   */
  admit(request: Request, { remoteAddress }: Connection): void {
    const { isGuarded } = this
    if (!isGuarded && (this.#options.isProduction || !isLocal(request, remoteAddress))) {
      throw new ClerkSyncError('dashboard_closed')
    }
    if (!isGuarded || this.#hosts.size > 0) requireHost(request, this.#hosts)
  }

  /**
   * Who is asking.
   * @throws {ClerkSyncError} `sign_in_required`, `token_wrong` or `too_many_attempts`
   */
  async identify(request: Request, connection: Connection): Promise<Principal> {
    const { authorize, now } = this.#options
    const sessions = this.#sessions
    const bearer = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    // The host's sign-in may use bearer tokens too: tokens that are not ours are passed on to it.
    if (sessions?.isValid(request.headers.get('cookie'), now())) return TOKEN_HOLDER
    if (sessions && bearer && !authorize)
      return this.#check(bearer, clientOf(request, connection.remoteAddress))
    if (sessions && bearer && sessions.isToken(bearer)) return TOKEN_HOLDER
    const principal = authorize ? await authorize(request) : sessions ? null : LOCAL
    if (principal === null) throw new ClerkSyncError('sign_in_required')
    return principal
  }

  /**
   * Begins a session, and returns its cookie header.
   * @throws {ClerkSyncError} `token_wrong`, `too_many_attempts` or `feature_unavailable`
   */
  signIn(request: Request, token: string, connection: Connection): string {
    if (!this.#sessions) throw new ClerkSyncError('feature_unavailable', 'there is no token to sign in with')
    this.#check(token, clientOf(request, connection.remoteAddress))
    return this.#sessions.begin(this.#options.path, isSecure(request), this.#options.now())
  }

  signOut(request: Request): string {
    return endSession(this.#options.path, isSecure(request))
  }

  #check(token: string, client: string | undefined): Principal {
    this.#attempts.admit(client)
    if (this.#sessions?.isToken(token)) return TOKEN_HOLDER
    this.#attempts.fail(client)
    throw new ClerkSyncError('token_wrong')
  }

  /** The ways to sign in. */
  get invitation(): Pick<SignInProblem, 'signIn' | 'signInUrl'> {
    return {
      signIn: this.takesToken ? 'token' : 'external',
      signInUrl: this.#options.signInUrl ?? null,
    }
  }
}
