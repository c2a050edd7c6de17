/** Opens a sync for a command. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ClerkSyncError } from '../errors.ts'
import { type ClerkSync, createClerkSync } from '../index.ts'
import type { Logger } from '../log.ts'
import { createSigningSecret } from '../testing/sign.ts'
import { loadConfiguration } from './configuration.ts'
import type { DatabaseOptions } from './options.ts'
import { Output, type OutputOptions } from './output.ts'
import { printable } from './text.ts'

/**
 * Does a command's work on a sync that receives nothing, and closes it.
 *
 * Such commands run where no signing secret is, in a migration job for example. Nobody knows the one made here.
 */
export async function withSync(
  flags: DatabaseOptions & OutputOptions,
  work: (sync: ClerkSync, output: Output) => Promise<void> | void,
): Promise<void> {
  const output = new Output(flags)
  const { options } = await loadConfiguration(flags)
  const sync = createClerkSync({
    ...options,
    log: noteLogger(output),
    signingSecret: createSigningSecret(),
  })
  try {
    await work(sync, output)
  } finally {
    await sync.close()
  }
}

/** As {@link withSync}, on a database that is there already. */
export function withDatabase(
  flags: DatabaseOptions & OutputOptions,
  work: (sync: ClerkSync, output: Output) => Promise<void> | void,
): Promise<void> {
  return withSync(flags, (sync, output) => {
    requireDatabase(sync)
    return work(sync, output)
  })
}

/** Refuses to create an embedded database where one was to be read. */
export function requireDatabase(sync: ClerkSync): void {
  if (!isNewFolder(sync)) return
  throw new ClerkSyncError('embedded_missing', sync.location.name)
}

/** Whether the database is an embedded one that is not there yet. */
export function isNewFolder({ location }: ClerkSync): boolean {
  return location.kind === 'embedded' && !existsSync(join(location.name, 'pgdata', 'PG_VERSION'))
}

export function noteLogger(output: Output): Logger {
  const { yellow, red } = output.stderr.colors
  return {
    debug() {},
    info() {},
    warn: (_, message) => output.note(`${yellow('!')} ${printable(message)}`),
    error: (_, message) => output.note(`${red('✗')} ${printable(message)}`),
  }
}

/** For commands that print their own summary. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
