/** `.env.local` and `.env` of the working directory, read before anything else looks at the environment. */

import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ClerkSyncError } from '../errors.ts'

/** The earlier file wins; what is set already wins over both. */
const FILES = ['.env.local', '.env']

const origins = new Map<string, string>()

/**
 * Adds the variables of the files to the environment.
 * @throws {ClerkSyncError} `option_invalid` for a file that is there but cannot be read
 */
export function loadEnvironmentFiles(): void {
  origins.clear()
  for (const file of FILES) {
    for (const [name, value] of Object.entries(parseEnv(readIfPresent(file)))) {
      if (process.env[name] !== undefined) continue
      process.env[name] = value
      origins.set(name, file)
    }
  }
}

/** The file that a variable came from, if it came from one. */
export function originOf(name: string): string | undefined {
  return origins.get(name)
}

function readIfPresent(file: string): string {
  try {
    // Editors on Windows put a byte order mark at the start, which would become part of the first name.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Python keeps a folder of that name.
    if (code === 'ENOENT' || code === 'EISDIR') return ''
    throw new ClerkSyncError('option_invalid', `${file} cannot be read (${code})`)
  }
}
