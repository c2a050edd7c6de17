/** The signing secrets, for commands that use them themselves. */

import { type ConfiguredSecret, resolveConfig } from '../config.ts'
import type { ClerkSyncOptions } from '../index.ts'
import { missingSecret } from '../webhook/secret.ts'

/** The configured signing secrets; none if there are none. */
export function signingSecrets(options: ClerkSyncOptions): readonly ConfiguredSecret[] {
  return resolveConfig(options, process.env).signingSecrets
}

/**
 * The configured signing secrets: at least one.
 * @throws {ClerkSyncError} `secret_missing`, naming the variables that look as if they held it
 */
export function requireSecrets(
  options: ClerkSyncOptions,
): readonly [ConfiguredSecret, ...ConfiguredSecret[]] {
  const { signingSecrets, otherSecrets } = resolveConfig(options, process.env)
  const [first, ...rest] = signingSecrets
  if (first === undefined) throw missingSecret(otherSecrets)
  return [first, ...rest]
}
