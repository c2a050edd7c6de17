/** The signing secrets, for commands that use them themselves. */

import { resolveConfig } from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkSyncOptions } from '../index.ts'

/** The configured signing secrets, as they are written; none if there are none. */
export function signingSecrets(options: ClerkSyncOptions): readonly string[] {
  return resolveConfig(options, process.env).signingSecrets
}

/**
 * The one to sign with.
 * @throws {ClerkSyncError} `secret_missing`
 */
export function firstSecret(options: ClerkSyncOptions): string {
  const [secret] = signingSecrets(options)
  if (secret === undefined) throw new ClerkSyncError('secret_missing')
  return secret
}
