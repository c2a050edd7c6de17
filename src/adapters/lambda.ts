/**
 * The webhook route for AWS Lambda behind API Gateway (REST and HTTP APIs), a function URL, an Application Load Balancer,
 * or a host that passes on events of their form, as Netlify and Vercel did.
 *
 * @module clerk-sync/lambda
 */

import { createResponder, type RawBody, type Reply, type SyncSource } from '../index.ts'

/** What is used of an event, whichever version sent it. */
export interface LambdaEvent {
  /** The payload format 1.0 of API Gateway, and load balancers. */
  readonly httpMethod?: string | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined
  /** Load balancers with multi-value headers send these alone. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined
  readonly body?: string | null | undefined
  readonly isBase64Encoded?: boolean | undefined
  readonly requestContext?: unknown
}

export interface LambdaResult {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly body: string
  readonly isBase64Encoded: false
}

const ADVICE =
  'a middleware parsed event.body; pass the event as Lambda gave it, without a JSON body parser such as middy’s around this handler'

/**
 * Creates a Lambda handler that answers deliveries. The function may be frozen once it has answered; by then everything
 * is committed. Run your handlers with `sync.drain()` in a scheduled function.
 *
 * @param sync default: one made from the environment at the first request
 *
 * @example
 * export const handler = createLambdaHandler()
 */
export function createLambdaHandler(sync?: SyncSource): (event: LambdaEvent) => Promise<LambdaResult> {
  const respond = createResponder(sync)
  return async (event) => {
    const { headers, multiValueHeaders } = event
    const reply = await respond({
      method: methodOf(event),
      // REST APIs send both; `headers` has only the last of several of one name.
      headers: multiValueHeaders ?? headers ?? {},
      body: bodyOf(event),
      advice: ADVICE,
    })
    return resultOf(reply, !headers && Boolean(multiValueHeaders))
  }
}

/** HTTP APIs and function URLs have it in the context (payload format 2.0). */
function methodOf({ httpMethod, requestContext }: LambdaEvent): string | undefined {
  const { http } = (requestContext ?? {}) as { http?: { method?: string } }
  return http?.method ?? httpMethod
}

/** The type says string; a middleware may have put an object there. */
function bodyOf({ body, isBase64Encoded }: LambdaEvent): RawBody | null {
  const given: unknown = body ?? ''
  if (typeof given !== 'string') return null
  return isBase64Encoded ? Buffer.from(given, 'base64') : given
}

/** A load balancer with multi-value headers ignores `headers`. */
function resultOf({ status, headers, body }: Reply, isMultiValue: boolean): LambdaResult {
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
  return {
    statusCode: status,
    headers: { ...headers },
    ...(isMultiValue && { multiValueHeaders: lists }),
    body,
    isBase64Encoded: false,
  }
}
