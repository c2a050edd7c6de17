/** The signing secrets, for commands that use them themselves. */

import { resolveConfig } from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'

/** The configured signing secrets, as they are written; none if there are none. */
export function signingSecrets(log: Logger): readonly string[] {
  return resolveConfig({ log }, process.env).signingSecrets
}

/**
 * The one to sign with.
 * @throws {ClerkSyncError} `secret_missing`
 */
export function firstSecret(log: Logger): string {
  const [secret] = signingSecrets(log)
  if (secret === undefined) throw new ClerkSyncError('secret_missing')
  return secret
}
