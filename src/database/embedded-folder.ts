/** The folder of an embedded database. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ClerkSyncError } from '../errors.ts'

interface Location {
  readonly kind: 'embedded' | 'postgres'
  readonly name: string
}

/** Refuses to create an embedded database where one was to be read. */
export function requireDatabase(location: Location): void {
  if (isNewFolder(location)) throw new ClerkSyncError('embedded_missing', location.name)
}

/** Whether the database is an embedded one that is not there yet. */
export function isNewFolder({ kind, name }: Location): boolean {
  return kind === 'embedded' && !existsSync(join(name, 'pgdata', 'PG_VERSION'))
}
