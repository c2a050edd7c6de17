/** Sends a signed delivery to a webhook route and tells what its answer means. */

import { DEFAULT_PORT, WEBHOOK_PATHS } from '../server/server.ts'
import type { SignedDelivery } from '../testing/sign.ts'
import { type Failure, usageError } from './failure.ts'
import { explainAnswer, explainSilence } from './route-answer.ts'

/** Where `clerk-sync start` listens in this folder. */
export function defaultUrl(): URL {
  const address = `http://localhost:${process.env.PORT || DEFAULT_PORT}${WEBHOOK_PATHS[0]}`
  if (URL.canParse(address)) return new URL(address)
  throw usageError(
    'PORT is no number from 0 to 65535.',
    'Set it to the port that clerk-sync start listens on.',
  )
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

/** A delivery, whoever signed it and with whatever headers. */
export interface Posted extends Pick<SignedDelivery, 'svixId' | 'body'> {
  readonly headers: Readonly<Record<string, string>>
}

export async function send(url: URL, delivery: Posted): Promise<Answer> {
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
      failure: response.ok
        ? null
        : explainAnswer({ url, status: response.status, headers: response.headers, text }),
    }
  } catch (error) {
    return { status: null, ms: elapsed(), failure: explainSilence(error as Error, url) }
  }
}
