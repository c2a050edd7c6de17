/**
 * Finds the cause of a signature mismatch by trying the usual mistakes. A wrong secret and a changed body give the same
 * error, so that "mismatch" alone leaves you guessing.
 *
 * It runs after verification has failed and never changes the result. The cause goes into logs, not into the answer.
 */

import { createSecretKey, type KeyObject } from 'node:crypto'
import type { MismatchCauseCode } from '../explanations/mismatch-causes.ts'
import { type Message, type RequestHeaders, readMixedMessages } from './headers.ts'
import { rewritingsOf } from './rewritings.ts'
import { parseSecret } from './secret.ts'
import { isSignedContent, prefixOf } from './signature.ts'

/** A request whose signature matches no configured secret. */
export interface Evidence {
  readonly message: Message
  readonly headers: RequestHeaders
  readonly body: Uint8Array
}

export interface MismatchCause {
  readonly code: MismatchCauseCode
  /** Which secret, or how the body was written. Never holds any of either. */
  readonly detail?: string | undefined
  /** A second mistake that must be fixed too. */
  readonly also?: MismatchCauseCode | undefined
}

export interface DiagnosticianOptions {
  /** The configured secrets, as they are written. */
  readonly configured: readonly string[]
  /** Other secrets in the environment, by variable name. */
  readonly others: ReadonlyMap<string, string>
  /** The clock, in milliseconds. */
  readonly now: () => number
}

/** Anyone can send mismatches; diagnosing ten a minute finds the cause and costs next to nothing. */
const MAX_PER_MINUTE = 10
const MINUTE_MS = 60_000
/** Trying everything over a body of this size takes some 10 ms. Clerk's are of 2 to 10 KB. */
const MAX_BYTES = 64 * 1024
/** Clerk's usual body, and enough for a sender of one's own; each secret is tried with each other fault. */
const MAX_PAIR_BYTES = 16 * 1024
/** A sender that takes the time twice, or rounds it otherwise. */
const MAX_SECONDS_OFF = 10

/** A message and key for which the signature would match. */
interface Hypothesis extends MismatchCause {
  readonly signature: string
  readonly prefix: string
  readonly body: Uint8Array
  readonly keys: readonly KeyObject[]
}

/** Diagnoses signature mismatches. */
export class Diagnostician {
  readonly #keys: readonly KeyObject[]
  /** What differs from the configured secrets' keys. */
  readonly #secretHypotheses: readonly Pick<Hypothesis, 'code' | 'detail' | 'keys'>[]
  readonly #now: () => number
  #minute = Number.NaN
  #done = 0

  constructor({ configured, others, now }: DiagnosticianOptions) {
    this.#keys = configured.map((secret) => parseSecret(secret).key)
    this.#secretHypotheses = [
      ...[...others].flatMap(([name, secret]) => otherSecret(name, secret)),
      ...configured.map((secret) => undecodedSecret('the configured one', secret)),
      ...[...others].map(([name, secret]) => undecodedSecret(name, secret)),
    ]
    this.#now = now
  }

  /** The cause of the mismatch; undefined if none is found, or if the limit per minute is reached. */
  diagnose(evidence: Evidence): MismatchCause | undefined {
    if (evidence.body.byteLength > MAX_BYTES || !this.#mayWork()) return undefined
    // All are tried, even after a match, so that the time it takes reveals nothing.
    const single = this.#hypotheses(evidence)
    const [found] = [...single, ...this.#pairs(single, evidence)].filter(
      ({ signature, prefix, body, keys }) => isSignedContent(signature, prefix, body, keys),
    )
    return found && { code: found.code, detail: found.detail, also: found.also }
  }

  #mayWork(): boolean {
    const minute = Math.floor(this.#now() / MINUTE_MS)
    if (minute !== this.#minute) this.#done = 0
    this.#minute = minute
    return this.#done++ < MAX_PER_MINUTE
  }

  #hypotheses({ message, headers, body }: Evidence): Hypothesis[] {
    const { id, timestamp, signature } = message
    const asItIs = { signature, prefix: prefixOf(id, timestamp), body, keys: this.#keys }
    return [
      ...this.#secretHypotheses,
      ...rewritingsOf(body),
      ...otherPrefixes(message),
      ...mixedHeaders(headers),
      ...otherSpellings(signature),
    ].map((difference) => ({ ...asItIs, ...difference }))
  }

  /**
   * Two faults at once: a wrong secret, and something else. A sender of one's own often makes both, and a proxy may change
   * a body that another secret signed. The cost is that of the rest once more, with a few more keys for each.
   */
  #pairs(single: readonly Hypothesis[], { message, body }: Evidence): Hypothesis[] {
    if (body.byteLength > MAX_PAIR_BYTES) return []
    const others = single.filter(({ keys }) => keys === this.#keys)
    const shifts = new Set(
      otherPrefixes(message).flatMap(({ code, prefix }) => (code === 'timestamp_changed' ? [prefix] : [])),
    )
    return this.#secretHypotheses.flatMap(({ code, detail, keys }) =>
      others
        .filter(({ prefix }) => !shifts.has(prefix))
        .map((other) => ({ ...other, code, detail: describePair(detail, other), also: other.code, keys })),
    )
  }
}

function describePair(secret: string | undefined, { code, detail }: MismatchCause): string {
  const other = detail === undefined ? '' : `, ${detail}`
  return `${secret ?? 'the configured one'}; also ${code}${other}`
}

/** None if the value is no secret. */
function otherSecret(name: string, secret: string) {
  try {
    // In a shell's or container's file the quotes may have become part of the value.
    const { key } = parseSecret(secret.trim().replace(/^["'`]+|["'`]+$/g, ''))
    return [{ code: 'other_secret', detail: `the one in ${name}`, keys: [key] } as const]
  } catch {
    return []
  }
}

function undecodedSecret(name: string, secret: string) {
  const texts = [secret, secret.replace(/^whsec_/, '')]
  const keys = texts.map((text) => createSecretKey(Buffer.from(text)))
  return { code: 'secret_not_decoded', detail: name, keys } as const
}

function otherPrefixes({ id, timestamp }: Message) {
  const content = { '': 'the body alone', [`${timestamp}.`]: 'timestamp.body', [`${id}.`]: 'id.body' }
  const offsets = Array.from({ length: MAX_SECONDS_OFF }, (_, index) => index + 1)
  const times = [
    ...offsets.flatMap((offset) => [timestamp - offset, timestamp + offset]),
    Math.floor(timestamp / 1000),
    timestamp * 1000,
  ]
  return [
    ...Object.entries(content).map(
      ([prefix, detail]) => ({ code: 'content_misspelt', detail, prefix }) as const,
    ),
    ...times.map((time) => ({ code: 'timestamp_changed', prefix: prefixOf(id, time) }) as const),
  ]
}

function mixedHeaders(headers: RequestHeaders) {
  return readMixedMessages(headers).map(
    ({ id, timestamp, signature }) =>
      ({ code: 'headers_mixed', signature, prefix: prefixOf(id, timestamp) }) as const,
  )
}

/** Without the version, in hex, in the base64 of addresses. */
function otherSpellings(header: string) {
  const signatures = header.split(/[ ,]+/)
  const encodings = ['base64', 'hex', 'base64url'] as const
  return encodings.map((encoding) => {
    const respelt = signatures.map((each) => `v1,${Buffer.from(each, encoding).toString('base64')}`)
    return { code: 'signature_misspelt', signature: respelt.join(' ') } as const
  })
}
