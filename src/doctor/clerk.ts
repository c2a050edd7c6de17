/** Checks against Clerk’s Backend API: whether the key works, and whether events cover every resource. */

import { existsSync } from 'node:fs'
import { coverageSentences, unreadOf } from '../backfill/coverage.ts'
import { findInstance } from '../backfill/instance.ts'
import { UNLIMITED } from '../backfill/rate-budget.ts'
import { ClerkApi } from '../clerk/api/client.ts'
import type { Config } from '../config.ts'
import { type Check, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'
import { type EventTypesOptions, eventTypesCheck } from './event-types.ts'

/** Where Clerk’s SDKs keep the keys of an app that nobody has claimed. */
const KEYLESS = '.clerk/.tmp/keyless.json'

export function clerkChecks(
  examined: ExaminedDatabase,
  config: Config,
  { isOffline, ...options }: EventTypesOptions & { readonly isOffline: boolean },
): Check[] {
  if (config.secretKey === '')
    return [{ group: 'clerk', name: 'secret key', run: async () => [withoutKey()] }]
  if (isOffline) return []
  const { secretKey, apiUrl, apiVersion, now } = config
  // Asked once: the doctor wants to know how it is, not to get through.
  const api = new ClerkApi({
    secretKey,
    apiUrl,
    apiVersion,
    timeoutMs: TIMEOUT_MS,
    budget: UNLIMITED,
    now,
    maxTries: 1,
  })
  return [
    { group: 'clerk', name: 'secret key', run: () => checkKey(api, config) },
    eventTypesCheck(examined, config, api, TIMEOUT_MS, options),
    { group: 'clerk', name: 'coverage', run: async () => checkCoverage(config) },
  ]
}

const TIMEOUT_MS = 4_000

function withoutKey(): Result {
  const keyless = existsSync(KEYLESS) ? ` ${KEYLESS} holds the key of an app that was not claimed yet.` : ''
  return passed(`CLERK_SECRET_KEY is not set: clerk-sync cannot backfill or reconcile.${keyless}`)
}

/** What stays wrong after a missed event, however often a reconcile runs. */
function checkCoverage({ resources }: Config): Result[] {
  const sentences = coverageSentences(unreadOf(resources))
  return sentences.map((sentence) => passed(`A scheduled reconcile does not cover ${sentence}`))
}

async function checkKey(api: ClerkApi, { instanceIds, apiUrl }: Config): Promise<Result[]> {
  const instance = await findInstance(api, instanceIds, {})
  return [passed(`${new URL(apiUrl).host} accepts the secret key${instance ? `, of ${instance}` : ''}.`)]
}
