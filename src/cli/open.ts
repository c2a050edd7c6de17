/** Opens a sync for a command. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ClerkSyncError } from '../errors.ts'
import { type ClerkSync, createClerkSync } from '../index.ts'
import type { Logger } from '../log.ts'
import { createSigningSecret } from '../testing/sign.ts'
import { loadConfiguration } from './configuration.ts'
import type { DatabaseOptions } from './options.ts'
import type { Output } from './output.ts'
import { printable } from './text.ts'

/**
 * Does a command's work on a sync that receives nothing, and closes it.
 *
 * Such commands run where no signing secret is, in a migration job for example. Nobody knows the one made here.
 */
export async function withSync(
  flags: DatabaseOptions,
  output: Output,
  work: (sync: ClerkSync) => Promise<void>,
): Promise<void> {
  const log = noteLogger(output)
  const { options } = await loadConfiguration(flags)
  const sync = createClerkSync({ ...options, log, signingSecret: createSigningSecret() })
  try {
    await work(sync)
  } finally {
    await sync.close()
  }
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

/** For commands that say by themselves what there is to say. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
