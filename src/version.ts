/** Which version of clerk-sync this is. */

import { readFileSync } from 'node:fs'

/** Unknown in a bundle, which has no package around it. */
export function readVersion(): string {
  try {
    return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
  } catch {
    return 'unknown'
  }
}
