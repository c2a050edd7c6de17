/** What Clerk's Backend API answers: JSON, and errors in a shape of Clerk's own. */

export interface Answer {
  readonly status: number
  readonly body: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export function ok(body: unknown): Answer {
  return { status: 200, body: Buffer.from(JSON.stringify(body)) }
}

/** Thrown by whatever cannot answer a request. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly longMessage: string
  readonly meta: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, longMessage = message, meta = {}) {
    super(message)
    this.status = status
    this.code = code
    this.longMessage = longMessage
    this.meta = meta
  }
}

export function notFound(longMessage: string): Refusal {
  return new Refusal(404, 'resource_not_found', 'not found', longMessage)
}

/** A parameter that cannot be used. */
export function unprocessable(parameter: string, longMessage: string): Refusal {
  return new Refusal(422, 'form_param_value_invalid', 'is invalid', longMessage, { param_name: parameter })
}

export function tooManyRequests(): Refusal {
  return new Refusal(429, 'too_many_requests', 'Too many requests. Please try again in a bit.')
}

export function unauthorized(authorization: string | undefined): Refusal {
  if (authorization?.startsWith('Bearer ')) return new Refusal(401, 'clerk_key_invalid', INVALID_KEY)
  const message = 'Invalid Authorization header format'
  const format = `${message}. Must be "Bearer <YOUR_API_KEY>"`
  return new Refusal(401, 'authorization_header_format_invalid', message, format)
}

const INVALID_KEY =
  'The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct.'

/** @param traceId what Clerk's support asks for */
export function refused(refusal: Refusal, traceId: string, headers = {}): Answer {
  const { status, code, message, longMessage, meta } = refusal
  const error = { message, long_message: longMessage, code, meta }
  const body = Buffer.from(JSON.stringify({ errors: [error], clerk_trace_id: traceId }))
  return { status, headers, body }
}
