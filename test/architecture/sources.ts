/** The sources as text, for the rules about them. Biome formats them all alike, so that lines and indentation tell enough. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../src', import.meta.url))

export interface Source {
  /** Within `src`: `ledger/apply.ts`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

interface Import {
  /** As it is written. */
  readonly specifier: string
  /** Within `src`; null for a package. */
  readonly path: string | null
}

export function readSources(): Source[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.replaceAll('\\', '/'),
  )
  return paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

/** Statements start at the margin; an example in a comment does not. Imports of types count as well. */
const STATEMENT = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?'([^']+)'/gm
const CALL = /\bimport\(\s*'([^']+)'/g

export function parseSource(path: string, text: string): Source {
  const specifiers = [...text.matchAll(STATEMENT), ...text.matchAll(CALL)].map(
    ([, specifier]) => specifier as string,
  )
  const imports = specifiers.map((specifier) => ({
    specifier,
    path: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null,
  }))
  return { path, text, imports }
}

/** Without blank lines and comments. */
export function linesOfCode(text: string): string[] {
  return text
    .replace(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//'))
}

export interface FunctionSize {
  /** The line that opens it. */
  readonly head: string
  readonly lines: number
}

const OPENS_FUNCTION = /(?:\bfunction\b.*|=>|\)(?:: .+)?) \{$/
const OPENS_BLOCK = /^(?:\} )?(?:if|else|for|while|switch|try|catch|finally|do|class|interface)\b/

/** Every function with a body of its own lines, from the line that opens it to the one that closes it. */
export function functionsOf(text: string): FunctionSize[] {
  const lines = linesOfCode(text)
  return lines.flatMap((line, at) => {
    const head = line.trim()
    if (!OPENS_FUNCTION.test(line) || OPENS_BLOCK.test(head)) return []
    const indentation = line.slice(0, line.length - line.trimStart().length)
    const inside = lines.slice(at + 1).findIndex((later) => later.startsWith(`${indentation}}`))
    return [{ head, lines: inside + 2 }]
  })
}
