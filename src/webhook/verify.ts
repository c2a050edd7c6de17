/** Raw bytes and headers → a verified delivery, or a typed refusal. The first stage of the flow. */

import { type Content, type Delivery, readContent } from '../clerk/event.ts'
import { ClerkSyncError } from '../errors.ts'
import { MISMATCH_CAUSES } from '../explanations/mismatch-causes.ts'
import { type BodyLimits, type RawBody, readBody } from './body.ts'
import { requireOwnSecret } from './bound-secrets.ts'
import type { Evidence, MismatchCause } from './diagnosis.ts'
import { type RequestHeaders, readMessage } from './headers.ts'
import type { BoundSecret } from './secret.ts'
import { isSigned } from './signature.ts'
import type { Turns } from './turns.ts'

export interface VerifyOptions {
  readonly secrets: readonly BoundSecret[]
  /** How far the time of an attempt may lie from this machine's clock, either way. */
  readonly toleranceSeconds: number
  readonly maxBodyBytes: number
  /** The clock, in milliseconds. */
  readonly now: () => number
  /** Diagnoses a signature mismatch. */
  readonly diagnose?: ((evidence: Evidence) => MismatchCause | undefined) | undefined
  /** Where deliveries queue up once their bodies are there. */
  readonly turns?: Turns | undefined
}

/** The bodies of refused requests by their errors: not on the errors themselves, which end up in logs. */
export const REFUSED_BODIES = new WeakMap<object, Uint8Array>()

/**
 * Verifies a delivery.
 *
 * The headers are looked at before the body is read, so that a request which cannot be a delivery costs nothing.
 *
 * @param share where the bytes are counted that are taken into memory
 * @throws {ClerkSyncError} with a 4xx status; a verified body that is not usable is no error but parked
 */
export async function verify(
  body: RawBody,
  headers: RequestHeaders,
  options: VerifyOptions,
  share?: BodyLimits['share'],
): Promise<Delivery> {
  const message = readMessage(headers)
  const rawBody = await readBody(body, message.contentLength, { ...options, share })
  await options.turns?.take()
  const content = orKeepBody(rawBody, () => {
    const signers = checkSignature({ message, headers, body: rawBody }, options)
    return contentOf(rawBody, signers, options)
  })
  return {
    svixId: message.id,
    attemptedAt: new Date(message.timestamp * 1000),
    rawBody,
    ...content,
  }
}

function orKeepBody<Result>(rawBody: Uint8Array, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    REFUSED_BODIES.set(error as object, rawBody)
    throw error
  }
}

function contentOf(
  rawBody: Uint8Array,
  signers: readonly BoundSecret[],
  { secrets }: VerifyOptions,
): Content {
  const content = readContent(rawBody)
  if (content.event === null) return content
  return { ...content, event: requireOwnSecret(content.event, signers, secrets) }
}

/**
 * The signature is checked before the time: only then does a wrong time prove a wrong clock.
 * @returns the secrets that made it
 */
function checkSignature(evidence: Evidence, options: VerifyOptions): BoundSecret[] {
  const signers = signersOf(evidence, options.secrets)
  if (signers.length === 0) throw mismatch(options.diagnose?.(evidence))
  checkTime(evidence, options)
  return signers
}

function signersOf({ message, body }: Evidence, secrets: readonly BoundSecret[]): BoundSecret[] {
  return secrets.filter(({ key }) => isSigned(message, body, [key]))
}

function checkTime({ message }: Evidence, options: VerifyOptions): void {
  const age = Math.floor(options.now() / 1000) - message.timestamp
  if (Math.abs(age) <= options.toleranceSeconds) return
  const limit = `the clocks differ by ${Math.abs(age)} seconds, ${options.toleranceSeconds} are allowed`
  throw new ClerkSyncError(age > 0 ? 'timestamp_too_old' : 'timestamp_too_new', limit)
}

function mismatch(mismatchCause: MismatchCause | undefined): ClerkSyncError {
  if (mismatchCause === undefined) return new ClerkSyncError('signature_mismatch')
  const { code, detail, also } = mismatchCause
  const { summary } = MISMATCH_CAUSES[code]
  const remedy = [code, ...(also ? [also] : [])].map((each) => MISMATCH_CAUSES[each].remedy).join(' ')
  const fact = detail === undefined ? summary : `${summary} (${detail})`
  return new ClerkSyncError('signature_mismatch', fact, { mismatchCause: code, remedy })
}
