/** A logger for commands that keep no log: warnings and errors become notes. */

import type { Logger } from '../log.ts'
import type { Output } from './output.ts'
import { printable } from './text.ts'

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
