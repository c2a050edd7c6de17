/** Packages that only some need: a missing one fails at once, and says how to install it. */

import { ClerkSyncError } from './errors.ts'

/** The error for a package that could not be loaded. @param packages what to install */
export function peerMissing(use: string, packages: string, cause: unknown): ClerkSyncError {
  const remedy = `Run \`npm install ${packages}\`.`
  return new ClerkSyncError('peer_missing', `${use} needs ${packages}`, { cause, remedy })
}
