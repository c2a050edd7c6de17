/**
 * A simulated Svix: delivers events to a webhook route as Svix does for Clerk, at least once, in no promised order, and
 * with the faults you configure. https://docs.svix.com/retries
 */

import type { ClerkEvent } from '../clerk/event.ts'
import { ClerkSyncError } from '../errors.ts'
import { parseSecret } from '../webhook/secret.ts'
import { ownSigner, type Signer } from './sign.ts'
import type { DeliveryReport } from './simulated-svix/report.ts'
import { type Deliver, postTo } from './simulated-svix/requests.ts'
import { Sender, type Settings } from './simulated-svix/sender.ts'

export interface SimulatedSvixOptions {
  /** The webhook route. This or `deliver`. */
  url?: string | URL | undefined
  /** Takes the requests instead of a server. */
  deliver?: Deliver | undefined
  /** The endpoint's signing secret; several sign as Svix does while one replaces the other. */
  secret: string | readonly string[]
  /**
   * Makes the signatures.
   * @default clerk-sync's own
   */
  sign?: Signer | undefined
  /**
   * What is repeated, held back and forged follows from it.
   * @default 1
   */
  seed?: number | undefined
  /**
   * How long Svix's times are here: with 0.001 it tries again after 5 ms and 300 ms, not after 5 s and 5 min.
   * @default 1
   */
  timeScale?: number | undefined
  /**
   * How many milliseconds an answer may take; not scaled.
   * @default 15000
   */
  timeoutMs?: number | undefined
  /**
   * How many requests may be under way.
   * @default 8
   */
  concurrency?: number | undefined
  /**
   * The share of messages, 0 to 1, that are delivered again although they were accepted.
   * @default 0
   */
  duplicates?: number | undefined
  /**
   * The share of messages, 0 to 1, that are held back so that later ones overtake them.
   * @default 0
   */
  reorder?: number | undefined
  /**
   * The longest that a message is held back, and that its duplicate comes later, in scaled milliseconds.
   * @default 5000
   */
  delayMs?: number | undefined
  /**
   * The share of messages, 0 to 1, before which a forged copy comes.
   * @default 0
   */
  forgeries?: number | undefined
}

/** A simulated Svix with one endpoint. */
export interface SimulatedSvix extends AsyncDisposable {
  /** Delivers events, each as a message. Returns at once; see {@link settled}. */
  send(events: ClerkEvent | readonly ClerkEvent[]): void

  /** Resolves when every message was accepted or given up, and nothing is left to be sent. */
  settled(): Promise<void>

  /** Cancels what waits and what is under way. Messages that were not accepted stay pending. */
  stop(): Promise<void>

  /** What was sent so far, with the results. */
  report(): DeliveryReport
}

/**
 * Creates a simulated Svix.
 *
 * @example
 * const svix = createSimulatedSvix({ url: 'http://localhost:3000/webhooks/clerk', secret, duplicates: 0.1 })
 * svix.send(clerk.act('createUser'))
 * await svix.settled()
 * console.log(svix.report().totals)
 *
 * @throws {ClerkSyncError} `option_invalid` without a destination, `secret_…` for a malformed secret
 */
export function createSimulatedSvix(options: SimulatedSvixOptions): SimulatedSvix {
  return new Sender(complete(options))
}

function complete(options: SimulatedSvixOptions): Settings {
  // Otherwise a malformed secret would look like a receiver that never answers.
  for (const secret of [options.secret].flat()) parseSecret(secret)
  return {
    secret: options.secret,
    deliver: options.deliver ?? postTo(requireUrl(options.url)),
    sign: options.sign ?? ownSigner,
    seed: options.seed ?? 1,
    timeScale: options.timeScale ?? 1,
    timeoutMs: options.timeoutMs ?? 15_000,
    concurrency: options.concurrency ?? 8,
    duplicates: options.duplicates ?? 0,
    reorder: options.reorder ?? 0,
    delayMs: options.delayMs ?? 5_000,
    forgeries: options.forgeries ?? 0,
  }
}

function requireUrl(url: string | URL | undefined): string | URL {
  if (url !== undefined) return url
  throw new ClerkSyncError('option_invalid', 'the simulated Svix needs a url or a deliver function')
}
