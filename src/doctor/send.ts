/** Sends a signed delivery to a webhook route and tells what its answer means. */

import { ERRORS, type ErrorCode } from '../errors.ts'
import { describeProblem, type Explained, type ProblemCode } from '../explanations/problems.ts'
import type { SignedDelivery } from '../testing/sign.ts'

/** What came back. */
export interface Answer {
  /** Null if nothing came back. */
  readonly status: number | null
  readonly ms: number
  /** What is wrong with it; null for a 2xx. */
  readonly failure: Explained | null
}

/** Svix waits this long for an answer. */
const TIMEOUT_MS = 15_000

/** A delivery, with any signature and headers. */
export interface Posted extends Pick<SignedDelivery, 'svixId' | 'body'> {
  readonly headers: Readonly<Record<string, string>>
}

/** What came back, or why nothing did. */
export type Outcome = (RouteAnswer | Explained) & { readonly ms: number }

/** One request, as Svix makes it. */
export async function post(
  url: URL,
  { headers, body }: Pick<Posted, 'headers' | 'body'>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Outcome> {
  const startedAt = performance.now()
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      // Svix follows no redirect.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { status, headers: answered } = response
    const text = await response.text()
    return { url, status, headers: answered, text, ms: performance.now() - startedAt }
  } catch (error) {
    return { ...explainSilence(error as Error, url), ms: performance.now() - startedAt }
  }
}

export async function send(url: URL, delivery: Posted): Promise<Answer> {
  const { ms: exactMs, ...outcome } = await post(url, delivery)
  const ms = Math.round(exactMs)
  if ('code' in outcome) return { status: null, ms, failure: outcome }
  return { status: outcome.status, ms, failure: isOk(outcome) ? null : explainAnswer(outcome) }
}

export function isOk({ status }: RouteAnswer): boolean {
  return status >= 200 && status < 300
}

export interface RouteAnswer {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Why the answer is no success. */
export function explainAnswer(answer: RouteAnswer): Explained {
  const own = ownCode(answer.text)
  if (own !== undefined) return { code: own, message: `${ERRORS[own].summary}.`, remedy: ERRORS[own].remedy }
  const [code, detail] = classify(answer)
  return code === 'redirected' ? explainRedirect(answer) : describeProblem(code, detail)
}

/** The code in clerk-sync's own answer: `{"error":"signature_mismatch","ref":"rej_…"}`. */
export function ownCode(text: string): ErrorCode | undefined {
  const [, code = ''] = /^\{"error":"(\w+)"[,}]/.exec(text) ?? []
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
}

/** Express sends any text as text/html. */
export function isPage({ headers, text }: RouteAnswer): boolean {
  return (headers.get('content-type') ?? '').startsWith('text/html') && /^\s*</.test(text)
}

/** How an answer is recognised, most specific first: a proxy or middleware in front of the route answers before it. */
const SIGNS: readonly (readonly [code: ProblemCode, isIt: (answer: RouteAnswer) => boolean])[] = [
  ['vercel_protection', isVercelWall],
  ['cloudflare_challenge', ({ headers }) => headers.get('cf-mitigated') === 'challenge'],
  ['cloudflare_access', ({ headers }) => locationOf(headers).includes('.cloudflareaccess.com')],
  ['password_wall', ({ headers }) => /^basic/i.test(headers.get('www-authenticate') ?? '')],
  ['host_not_allowed', isHostRefused],
  ['function_verifies_jwt', isSupabaseWall],
  ['preview_guarded', ({ status, text }) => [401, 403].includes(status) && /bypass/i.test(text)],
  ['redirected_to_language', isLanguageRedirect],
  ['route_protected', isProtected],
  ['route_slow', isFunctionTimeout],
  ['edge_runtime', ({ status, text }) => status >= 500 && /edge runtime|edge function/i.test(text)],
  ['proxy_failed', isProxyFailure],
]

function classify(answer: RouteAnswer): [code: ProblemCode, detail?: string] {
  const fact = `it answers ${answer.status}`
  const [code] = SIGNS.find(([, isIt]) => isIt(answer)) ?? []
  if (code !== undefined) return [code, fact]
  return [codeOfStatus(answer.status), fact]
}

/** What the status alone tells. */
function codeOfStatus(status: number): ProblemCode {
  if (isRedirect(status)) return 'redirected'
  if (status === 401 || status === 403) return 'login_wall'
  if (status === 404) return 'route_not_found'
  if (status === 405) return 'method_not_allowed_by_route'
  if (status === 504) return 'route_slow'
  return status >= 500 ? 'route_failed' : 'delivery_refused'
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}

function locationOf(headers: Headers): string {
  return headers.get('location') ?? ''
}

/**
 * Clerk's middleware adds its headers to every answer that passes it, also to the 404 of a missing route. It denies by
 * rewriting to a path of its own, which Next.js reports; or by sending the sender to a sign-in page.
 */
function isProtected({ status, headers }: RouteAnswer): boolean {
  const isDenied =
    /^protect-/.test(headers.get('x-clerk-auth-reason') ?? '') ||
    /clerk_\d+/.test(headers.get('x-middleware-rewrite') ?? '')
  const isClerk = [...headers.keys()].some((name) => name.startsWith('x-clerk-auth-'))
  if (status === 404) return isDenied
  if (status === 401 || status === 403) return isDenied || isClerk
  return isRedirect(status) && /sign-?(in|up)|\blogin\b/i.test(locationOf(headers))
}

function isVercelWall({ status, headers, text }: RouteAnswer): boolean {
  if ((headers.get('set-cookie') ?? '').includes('_vercel_sso_nonce')) return true
  if (locationOf(headers).startsWith('https://vercel.com/sso-api')) return true
  const isVercel = /vercel/i.test(headers.get('server') ?? '')
  return status === 401 && isVercel && /Authentication Required/i.test(text)
}

/** Vite, and what is built on it: Nuxt, React Router, TanStack Start. Webpack’s server says the same in other words. */
function isHostRefused({ status, text }: RouteAnswer): boolean {
  return status === 403 && /\ballowedHosts\b|invalid host header/i.test(text)
}

/** Supabase’s gateway answers before the function runs. */
function isSupabaseWall({ status, url, text }: RouteAnswer): boolean {
  const isFunction = url.pathname.startsWith('/functions/v1/') || url.hostname.endsWith('.supabase.co')
  const isGateway = /missing authorization header|invalid jwt|UNAUTHORIZED_(NO_AUTH|INVALID_JWT)/i.test(text)
  return status === 401 && isGateway && (isFunction || text.startsWith('{"code":'))
}

/** next-intl and its like: the same path, behind a language. */
function isLanguageRedirect({ status, url, headers }: RouteAnswer): boolean {
  const location = locationOf(headers)
  if (!isRedirect(status) || !URL.canParse(location, url.href)) return false
  const [, language, rest] =
    /^\/([a-z]{2,3}(?:-[A-Za-z]{2,4})?)(\/.*)$/.exec(new URL(location, url.href).pathname) ?? []
  return language !== undefined && rest === url.pathname
}

function isFunctionTimeout({ headers }: RouteAnswer): boolean {
  return headers.get('x-vercel-error') === 'FUNCTION_INVOCATION_TIMEOUT'
}

/** 520 to 526 are Cloudflare’s for an origin that does not answer as it should. */
function isProxyFailure({ status, headers, text }: RouteAnswer): boolean {
  if (status === 502 || (status >= 520 && status <= 526)) return true
  return (
    headers.get('x-ngrok-error') !== null || headers.has('ngrok-error-code') || /\bERR_NGROK_\d+/.test(text)
  )
}

function explainRedirect({ url, headers }: RouteAnswer): Explained {
  const location = headers.get('location')
  if (location === null || !URL.canParse(location, url.href)) return describeProblem('redirected')
  const target = new URL(location, url.href)
  const remedy = `Enter exactly this address in Clerk’s dashboard: ${target.href}`
  return describeProblem('redirected', `${differenceOf(url, target)}, to ${target.href}`, remedy)
}

function differenceOf(from: URL, to: URL): string {
  if (from.protocol !== to.protocol)
    return `from ${from.protocol.slice(0, -1)} to ${to.protocol.slice(0, -1)}`
  if (from.host !== to.host) return 'to another host'
  const isSlash = from.pathname.replace(/\/$/, '') === to.pathname.replace(/\/$/, '')
  return isSlash ? 'because of the trailing slash' : 'to another path'
}

/** By the code of the network error. */
const SILENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there',
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name cannot be resolved right now',
  ECONNRESET: 'the server closed the connection without an answer',
  UND_ERR_SOCKET: 'the server closed the connection without an answer',
}

/** Why there was no answer at all. */
function explainSilence(error: Error, { origin }: URL): Explained {
  if (error.name === 'TimeoutError') return describeProblem('route_slow', `${origin} did not answer in time`)
  const cause = error.cause as NodeJS.ErrnoException | undefined
  const code = cause?.code ?? ''
  if (/CERT|SSL|TLS/.test(code)) return describeProblem('tls_failed', `${origin}, ${code}`)
  const fact = SILENCES[code] ?? cause?.message ?? error.message
  return describeProblem('server_unreachable', `${origin}, ${fact}`)
}
