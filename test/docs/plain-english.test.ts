/** Keeps constructions out of what users read that a reader has to read twice. */

import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const BANNED: readonly { readonly pattern: RegExp; readonly because: string }[] = [
  { pattern: /\b[Ww]hoever\b/, because: 'say "you", "anyone who" or name the program' },
  { pattern: /\bwho [a-z]+s?\b[^.:;]{0,40}\bgets\b/, because: 'say "you" or name the program' },
  { pattern: /\b(his|him|himself)\b/, because: 'users are "you" or "they"' },
  { pattern: /\bwhat there (was|were|is)\b/i, because: 'name the thing, such as "existing data"' },
  { pattern: /\bput right\b/, because: 'say "repair" or "fix"' },
  { pattern: /\bdealt with\b/, because: 'say what was done' },
  { pattern: /\bas often as (they|it) may\b/, because: 'say "exhausted its retries"' },
  { pattern: /\bnothing is said\b/i, because: 'say what is hidden or unknown' },
  { pattern: /\btook longer than it may\b/, because: 'say "timed out"' },
  { pattern: /\bbelongs? into\b/, because: 'it is "belong in"' },
  { pattern: /\bis like that\b/, because: 'say "no events match"' },
  { pattern: /\bno event (had )?told\b/, because: 'say "no event arrived"' },
  { pattern: /\bbegins? anew\b/, because: 'say "start from the beginning"' },
]

function offencesIn(place: string, text: string): string[] {
  return BANNED.flatMap(({ pattern, because }) => {
    const found = pattern.exec(text)
    return found ? [`${place}: "${found[0]}": ${because}`] : []
  })
}

/** String literals and templates with more than one word, without those in comments. */
function stringsIn(path: string): string[] {
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const literals = code.matchAll(
    /'((?:[^'\\\n]|\\.)* (?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)* (?:[^`\\]|\\.)*)`/g,
  )
  return [...literals].map(([, plain, template]) => plain ?? template ?? '')
}

const filesOf = (...patterns: string[]) =>
  globSync(patterns, { cwd: ROOT })
    .sort()
    .map((path) => [path] as const)

describe('plain English', () => {
  it.each(
    filesOf('src/*.ts', 'src/{alerts,backfill,cli,database,handlers,maintenance,server,webhook}/**/*.ts'),
  )('in the messages of %s', (path) => {
    expect(stringsIn(ROOT + path).flatMap((text) => offencesIn(path, text))).toEqual([])
  })

  it.each(
    // The decisions record why, for the people who work on the code.
    filesOf('README.md', 'docs/*.md', 'docs/{deploy,runbooks}/*.md').filter(
      ([path]) => path !== 'docs/decisions.md',
    ),
  )('in %s', (path) => {
    const paragraphs = readFileSync(ROOT + path, 'utf8').split(/\n\n|\n\|/)
    expect(paragraphs.flatMap((text) => offencesIn(path, text.replaceAll('\n', ' ')))).toEqual([])
  })
})
