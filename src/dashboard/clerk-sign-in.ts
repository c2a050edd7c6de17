/** Signing in to the dashboard with Clerk itself. */

import { dashboardEnvironment } from '../config.ts'
import { consoleLogger } from '../log.ts'
import { peerMissing } from '../peer.ts'
import type { Authorize } from './access.ts'
import type { Role } from './api.ts'
import { isRole, type Principal } from './principal.ts'

/** The claims of a session token. https://clerk.com/docs/guides/sessions/session-tokens */
export type SessionClaims = Readonly<Record<string, unknown>> & { readonly sub: string }

export interface ClerkSignInOptions {
  /**
   * The key that verifies session tokens, without a request to Clerk: Clerk Dashboard → API keys → JWKS public key.
   * @default CLERK_JWT_KEY
   */
  readonly jwtKey?: string | undefined
  /**
   * Verifies session tokens by a request to Clerk, where there is no `jwtKey`.
   * @default CLERK_SECRET_KEY
   */
  readonly secretKey?: string | undefined
  /** The origins that session tokens may be issued for, `https://app.example.com`: protects from other subdomains. */
  readonly authorizedParties?: readonly string[] | undefined
  /**
   * The role that the claims give; null for none.
   * @default the claim `metadata.clerkSync`, `publicMetadata.clerkSync` or `clerk_sync`: "viewer", "operator" or "admin"
   */
  readonly role?: ((claims: SessionClaims) => Role | null) | undefined
}

/**
 * Lets in whom Clerk knows and whose claims give a role. Needs the package `@clerk/backend`.
 *
 * Give people a role in their public metadata, `{ "clerkSync": "operator" }`, and add that to the session token: Clerk
 * Dashboard → Sessions → Customize session token → `{ "metadata": "{{user.public_metadata}}" }`.
 *
 * @example
 * createDashboardHandler(sync, { authorize: clerkSignIn(), signInUrl: '/sign-in' })
 */
export function clerkSignIn(options: ClerkSignInOptions = {}): Authorize {
  const { role = roleIn } = options
  // At the start, where somebody reads the log, not at the first sign-in.
  void loadBackend().catch(({ code, message, remedy }) => consoleLogger.error({ code, remedy }, message))
  return async (request) => {
    const token = sessionTokenOf(request)
    if (token === undefined) return null
    const claims = await verify(token, options)
    const given = claims && role(claims)
    return claims && given ? toPrincipal(claims, given) : null
  }
}

function toPrincipal({ sub, email }: SessionClaims, role: Role): Principal {
  return { name: typeof email === 'string' ? email : sub, role }
}

function sessionTokenOf({ headers }: Request): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  const cookies = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim())
  return bearer ?? cookies.find((pair) => pair.startsWith('__session='))?.slice('__session='.length)
}

/** @throws {ClerkSyncError} `peer_missing` */
function loadBackend() {
  return import('@clerk/backend').catch((error) => {
    throw peerMissing('clerkSignIn()', '@clerk/backend', error)
  })
}

/** Null for a token that is none, is forged or has expired. */
async function verify(token: string, options: ClerkSignInOptions): Promise<SessionClaims | null> {
  const { verifyToken } = await loadBackend()
  const defaults = dashboardEnvironment()
  const { jwtKey = defaults.jwtKey, secretKey = defaults.secretKey, authorizedParties } = options
  const keys = { ...(jwtKey && { jwtKey }), ...(secretKey && { secretKey }) }
  try {
    const parties = authorizedParties && { authorizedParties: [...authorizedParties] }
    return { ...(await verifyToken(token, { ...keys, ...parties })) }
  } catch {
    return null
  }
}

function roleIn(claims: SessionClaims): Role | null {
  const places = [claims.metadata, claims.publicMetadata].map(
    (place) => (place as { clerkSync?: unknown } | null)?.clerkSync,
  )
  return [...places, claims.clerk_sync].find(isRole) ?? null
}
