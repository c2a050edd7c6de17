/** What the answer of a webhook route means, when it is not the one that Svix wants to see. */

import { ERRORS, type ErrorCode } from '../errors.ts'
import type { Failure } from './failure.ts'
import { describeProblem, type ProblemCode } from './problems.ts'

export interface RouteAnswer {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Why the answer is no success. */
export function explainAnswer(answer: RouteAnswer): Failure {
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

function classify(answer: RouteAnswer): [code: ProblemCode, detail?: string] {
  const { status, headers } = answer
  if (isProtected(answer)) return ['route_protected', `it answers ${status}`]
  const wall = wallOf(answer)
  if (wall !== undefined) return ['login_wall', wall]
  if (isRedirect(status)) return ['redirected']
  if (status === 401 || status === 403) return ['login_wall', `it answers ${status}`]
  if (status === 404) return ['route_not_found']
  if (status === 405) return ['method_not_allowed_by_route']
  if (headers.get('x-vercel-error') === 'FUNCTION_INVOCATION_TIMEOUT' || status === 504) return ['route_slow']
  if (status >= 500 && /edge runtime|edge function/i.test(answer.text)) return ['edge_runtime']
  return status >= 500
    ? ['route_failed', `it answers ${status}`]
    : ['delivery_refused', `it answers ${status}`]
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}

/** Clerk's middleware says so in headers; it answers 404 as well as 401, or redirects to a sign-in page. */
function isProtected({ status, headers }: RouteAnswer): boolean {
  if (![401, 404, 302, 303, 307].includes(status)) return false
  const isClerk = [...headers.keys()].some((name) => name.startsWith('x-clerk-auth-'))
  return isClerk || /sign-?in/i.test(headers.get('location') ?? '')
}

/** Which login wall or challenge it is, if it is a known one. */
function wallOf({ status, headers, text }: RouteAnswer): string | undefined {
  const cookie = headers.get('set-cookie') ?? ''
  const location = headers.get('location') ?? ''
  if (cookie.includes('_vercel_sso_nonce') || location.startsWith('https://vercel.com/sso-api')) {
    return 'Vercel’s deployment protection'
  }
  if (
    status === 401 &&
    /vercel/i.test(headers.get('server') ?? '') &&
    /Authentication Required/i.test(text)
  ) {
    return 'Vercel’s deployment protection'
  }
  if (headers.get('cf-mitigated') === 'challenge') return 'a challenge of Cloudflare'
  if (location.includes('.cloudflareaccess.com')) return 'Cloudflare Access'
  return /^basic/i.test(headers.get('www-authenticate') ?? '') ? 'HTTP basic authentication' : undefined
}

function explainRedirect({ url, headers }: RouteAnswer): Failure {
  const location = headers.get('location')
  if (location === null || !URL.canParse(location, url.href)) return describeProblem('redirected')
  const target = new URL(location, url.href)
  const remedy = `Put exactly this address into Clerk’s dashboard: ${target.href}`
  return describeProblem('redirected', `${differenceOf(url, target)}, to ${target.href}`, remedy)
}

function differenceOf(from: URL, to: URL): string {
  if (from.protocol !== to.protocol)
    return `from ${from.protocol.slice(0, -1)} to ${to.protocol.slice(0, -1)}`
  if (from.host !== to.host) return 'to another host'
  const isSlash = from.pathname.replace(/\/$/, '') === to.pathname.replace(/\/$/, '')
  return isSlash ? 'because of the slash at the end' : 'to another path'
}

/** By the code of the network error. */
const SILENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNRESET: 'it closed the connection without an answer',
  UND_ERR_SOCKET: 'it closed the connection without an answer',
}

/** Why there was no answer at all. */
export function explainSilence(error: Error, { origin }: URL): Failure {
  if (error.name === 'TimeoutError') return describeProblem('route_slow', `${origin} did not answer in time`)
  const cause = error.cause as NodeJS.ErrnoException | undefined
  const code = cause?.code ?? ''
  if (/CERT|SSL|TLS/.test(code)) return describeProblem('tls_failed', `${origin}, ${code}`)
  const fact = SILENCES[code] ?? cause?.message ?? error.message
  return describeProblem('server_unreachable', `${origin}, ${fact}`)
}
