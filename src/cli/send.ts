/** Sends a signed delivery to a webhook route and tells what its answer means. */

import { ERRORS, type ErrorCode } from '../errors.ts'
import { DEFAULT_PORT, WEBHOOK_PATHS } from '../server/server.ts'
import type { SignedDelivery } from '../testing/sign.ts'
import type { Failure } from './failure.ts'

/** Where `clerk-sync start` listens in this folder. */
export function defaultUrl(): URL {
  return new URL(`http://localhost:${process.env.PORT || DEFAULT_PORT}${WEBHOOK_PATHS[0]}`)
}

/** What came back. */
export interface Answer {
  /** Null if nothing came back. */
  readonly status: number | null
  readonly ms: number
  /** What is wrong with it; null for a 2xx. */
  readonly failure: Failure | null
}

/** Svix waits this long for an answer. */
const TIMEOUT_MS = 15_000

export async function send(url: URL, delivery: SignedDelivery): Promise<Answer> {
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...delivery.headers },
      body: delivery.body,
      // Svix follows no redirect.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    return {
      status: response.status,
      ms: elapsed(),
      failure: response.ok ? null : explain(response, text),
    }
  } catch (error) {
    return { status: null, ms: elapsed(), failure: explainSilence(error as Error, url) }
  }
}

interface Explanation {
  readonly fits: (response: Response) => boolean
  readonly code: string
  readonly message: string
  readonly remedy: string
}

/** The first that fits. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    fits: isProtected,
    code: 'route_protected',
    message: 'Clerk’s middleware protects this route, and a webhook is not signed in.',
    remedy: 'Leave the route public: do not call auth.protect() for it in proxy.ts or middleware.ts.',
  },
  {
    fits: ({ status }) => status >= 300 && status < 400,
    code: 'redirected',
    message: 'The route redirects. Svix follows no redirect and counts it as a failure.',
    remedy: 'Use the final address, also in Clerk’s dashboard: look at https, www and the slash at the end.',
  },
  {
    fits: ({ status }) => status === 401 || status === 403,
    code: 'route_protected',
    message: 'Something in front of the route wants a login.',
    remedy: 'Look for a deployment protection, a login wall or a proxy with a password.',
  },
  {
    fits: ({ status }) => status === 404,
    code: 'route_not_found',
    message: 'There is no such route.',
    remedy: 'Check the path after --to; clerk-sync start prints its own.',
  },
  {
    fits: ({ status }) => status === 405,
    code: 'method_not_allowed',
    message: 'The route does not answer POST.',
    remedy: 'In Next.js, export a function named POST from the route.',
  },
  {
    fits: ({ status }) => status >= 500,
    code: 'route_failed',
    message: 'The app failed. Svix would send the event again.',
    remedy: 'Read the log of the app.',
  },
]

const UNEXPLAINED = {
  code: 'delivery_refused',
  message: 'The route refused the delivery.',
  remedy: 'Read the log of the app. Is its signing secret the first one that is set here?',
}

function explain(response: Response, text: string): Failure {
  const own = readCode(text)
  if (own !== undefined) return { code: own, message: `${ERRORS[own].summary}.`, remedy: ERRORS[own].remedy }
  const { code, message, remedy } = EXPLANATIONS.find(({ fits }) => fits(response)) ?? UNEXPLAINED
  const target = response.headers.get('location')
  return {
    code,
    message: target === null ? message : `${message} It points to ${target}.`,
    remedy,
  }
}

/** clerk-sync's own answer: `{"error":"signature_mismatch","ref":"rej_…"}`. */
function readCode(text: string): ErrorCode | undefined {
  const [, code = ''] = /^\{"error":"(\w+)"[,}]/.exec(text) ?? []
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
}

/** Clerk's middleware says so in headers; it answers 404 as well as 401, or redirects to a sign-in page. */
function isProtected({ status, headers }: Response): boolean {
  if (![401, 404, 302, 303, 307].includes(status)) return false
  const isClerk = [...headers.keys()].some((name) => name.startsWith('x-clerk-auth-'))
  return isClerk || /sign-?in/i.test(headers.get('location') ?? '')
}

/** By the code of the network error. */
const SILENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ENOTFOUND: 'There is no host of that name.',
  ECONNRESET: 'The server closed the connection without an answer.',
}

function explainSilence(error: Error, { origin }: URL): Failure {
  if (error.name === 'TimeoutError') {
    const message = `${origin} did not answer in 15 seconds, which is when Svix gives up.`
    return { code: 'route_slow', message, remedy: 'Answer first and work afterwards.' }
  }
  const cause = error.cause as NodeJS.ErrnoException | undefined
  const fact = SILENCES[cause?.code ?? ''] ?? cause?.message ?? error.message
  const remedy = 'Start your app, or clerk-sync start, and check the address after --to.'
  return { code: 'server_unreachable', message: `${origin} cannot be reached. ${fact}`, remedy }
}
