/** Keeps constructions out of what users read that a reader has to read twice. */

import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'
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
  { pattern: /\b[Bb]egins? anew\b/, because: 'say "start from the beginning"' },
  { pattern: /\banew\b/, because: 'say "again"' },
  { pattern: /\bhears? of\b/, because: 'say "get" or "receive"' },
  { pattern: /\b(is|are|was|were|be|been) told\b/, because: 'say "notify", "report" or "show"' },
  { pattern: /\bt(ells?|old) of\b/, because: 'say "report", or name what happened' },
  { pattern: /\b(go|goes|gone|went) on with\b/, because: 'say "resume" or "continue"' },
  { pattern: /\b(is|are|was|were) away\b/, because: 'say "unavailable"' },
  { pattern: /\bwhat (came|becomes?|became) of\b/i, because: 'say "the result of" or "the outcome of"' },
  { pattern: /\b(is|are|still) at it\b/, because: 'say who holds the lock' },
  { pattern: /\bhad better\b/, because: 'say "should"' },
  { pattern: /\bfor (its|their) own sake\b/, because: 'say what it costs' },
  { pattern: /\b[Ww]here no process stays\b/, because: 'say "in serverless apps"' },
  { pattern: /\bwithout a word\b/, because: 'say "silently"' },
  { pattern: /\bwhat (is|was|were) right\b/, because: 'name the rows' },
]

function offencesIn(place: string, text: string): string[] {
  return BANNED.flatMap(({ pattern, because }) => {
    const found = pattern.exec(text)
    return found ? [`${place}: "${found[0]}": ${because}`] : []
  })
}

interface Prose {
  /** Texts of more than one word: literals, templates, and text between tags. */
  readonly messages: readonly string[]
  readonly comments: readonly string[]
}

function proseIn(path: string): Prose {
  const { program, comments } = parseSync(path, readFileSync(path, 'utf8'))
  return {
    messages: [...textsIn(program)].filter((text) => text.trim().includes(' ')).map(oneLine),
    comments: comments.map(({ value }) => oneLine(value.replace(/\n\s*\*/g, ' '))),
  }
}

function* textsIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return
  const { type, value } = node as { type?: unknown; value?: unknown }
  if ((type === 'Literal' || type === 'JSXText') && typeof value === 'string') yield value
  else if (type === 'TemplateElement') yield (value as { raw: string }).raw
  else for (const child of Object.values(node)) yield* textsIn(child)
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ')

const filesOf = (...patterns: string[]) =>
  globSync(patterns, { cwd: ROOT })
    .sort()
    .map((path) => [path] as const)

describe('plain English', () => {
  it.each(filesOf('src/**/!(assets).ts', 'dashboard/src/**/*.{ts,tsx}'))(
    'in the messages and comments of %s',
    (path) => {
      const { messages, comments } = proseIn(ROOT + path)
      expect([...messages, ...comments].flatMap((text) => offencesIn(path, text))).toEqual([])
    },
  )

  it.each(
    filesOf(
      '{README,CONTRIBUTING,CHANGELOG}.md',
      'docs/*.md',
      'docs/{deploy,runbooks}/*.md',
      'examples/*/README.md',
    ),
  )('in %s', (path) => {
    const paragraphs = readFileSync(ROOT + path, 'utf8').split(/\n\n|\n\|/)
    expect(paragraphs.flatMap((text) => offencesIn(path, text.replaceAll('\n', ' ')))).toEqual([])
  })
})
