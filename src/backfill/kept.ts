/** Which tables are kept: of another, a row would be written once and never updated. */

import { ClerkSyncError } from '../errors.ts'

/** @throws {ClerkSyncError} `resource_not_kept` */
export function requireKept(table: string, resources: ReadonlySet<string>): void {
  if (!resources.has(table)) throw new ClerkSyncError('resource_not_kept', table)
}
