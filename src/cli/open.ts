/** Opens a sync for a command. */

import { loadConfiguration } from '../configuration/configuration.ts'
import { requireDatabase } from '../database/embedded-folder.ts'
import { type ClerkSync, createClerkSync } from '../index.ts'
import type { Logger } from '../log.ts'
import { createSigningSecret } from '../testing/sign.ts'
import type { DatabaseOptions } from './options.ts'
import { Output } from './output.ts'
import { printable } from './text.ts'

/**
 * Does a command's work on a sync that receives nothing, and closes it.
 *
 * Such commands run where no signing secret is, in a migration job for example. Nobody knows the one made here.
 */
export async function withSync(
  flags: DatabaseOptions,
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
  flags: DatabaseOptions,
  work: (sync: ClerkSync, output: Output) => Promise<void> | void,
): Promise<void> {
  return withSync(flags, (sync, output) => {
    requireDatabase(sync.location)
    return work(sync, output)
  })
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
