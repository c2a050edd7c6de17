/** Verification on its own, for teams that store and handle events themselves. */

import type { Delivery } from './clerk/event.ts'
import { type ClerkSyncOptions, type Config, resolveConfig } from './config.ts'
import type { RawBody } from './webhook/body.ts'
import { Diagnostician } from './webhook/diagnosis.ts'
import type { RequestHeaders } from './webhook/headers.ts'
import { missingSecret, parseSecret } from './webhook/secret.ts'
import { type VerifyOptions, verify } from './webhook/verify.ts'

export type VerifierOptions = Pick<
  ClerkSyncOptions,
  'signingSecret' | 'toleranceSeconds' | 'maxBodyBytes' | 'now' | 'log'
>

/**
 * Verifies one delivery.
 * @param body the exact bytes of the request
 * @throws {ClerkSyncError} with a 4xx status
 */
export type Verifier = (body: RawBody, headers: RequestHeaders) => Promise<Delivery>

/**
 * Creates a function that verifies deliveries and returns them with their svix-id.
 *
 * @example
 * const verify = createVerifier()
 * const { svixId, event } = await verify(await request.bytes(), request.headers)
 *
 * @throws {ClerkSyncError} `secret_…` for a missing or malformed secret
 */
export function createVerifier(options: VerifierOptions = {}): Verifier {
  const verification = toVerifyOptions(resolveConfig(options, process.env))
  return (body, headers) => verify(body, headers, verification)
}

/** @throws {ClerkSyncError} `secret_…` for a missing or malformed secret */
export function toVerifyOptions(config: Config): VerifyOptions {
  if (config.signingSecrets.length === 0) throw missingSecret(config.otherSecrets)
  const secrets = config.signingSecrets.map(({ secret, instanceId }) => ({
    ...parseSecret(secret),
    instanceId,
  }))
  for (const warning of secrets.flatMap((secret) => secret.warnings)) config.log.warn({}, warning)
  const { otherSecrets: others, now } = config
  const configured = config.signingSecrets.map(({ secret }) => secret)
  const diagnostician = new Diagnostician({ configured, others, now })
  return { ...config, secrets, diagnose: (evidence) => diagnostician.diagnose(evidence) }
}
