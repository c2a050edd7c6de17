/** A source file → its syntax tree. The parser, not a pattern, distinguishes comments from strings. */

import * as nodeModule from 'node:module'
import { type Options, type Program, parse } from 'acorn'

const OPTIONS: Options = { ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true }

/** Undefined for what is neither JavaScript nor TypeScript whose types can be erased in place. */
export function parseSource(text: string): Program | undefined {
  return tryParse(text) ?? tryParse(eraseTypes(text))
}

function tryParse(text: string | undefined): Program | undefined {
  try {
    return text === undefined ? undefined : parse(text, OPTIONS)
  } catch {
    return undefined
  }
}

/** Replaces types by blanks, so that every position stays what it was. Node 22.12 cannot do it yet. */
function eraseTypes(text: string): string | undefined {
  const { emitWarning } = process
  try {
    // Node warns that this function is experimental, which is of no use to the reader of a report.
    process.emitWarning = () => undefined
    return nodeModule.stripTypeScriptTypes?.(text)
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}
