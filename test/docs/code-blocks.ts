/** The code blocks of the documentation, each with the place it is from. */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface CodeBlock {
  /** Within the project: `docs/quick-start.md`. */
  readonly page: string
  /** Of its first line of code. */
  readonly line: number
  readonly language: string
  readonly code: string
}

/** The packages that only the folders of test/frameworks have, by folder. */
export const FRAMEWORK_PACKAGES: Readonly<Record<string, RegExp>> = {
  nuxt: /from 'h3'/,
  elysia: /from 'elysia'/,
  google: /from 'firebase-functions\/https'/,
}

/** Its types depend on what its build generates; compiled there. */
const GENERATED = /from '@tanstack\/react-router'/

/** Whether it imports one of them. */
export function isOfFramework({ code }: CodeBlock): boolean {
  return GENERATED.test(code) || Object.values(FRAMEWORK_PACKAGES).some((pattern) => pattern.test(code))
}

export const placeOf = ({ page, line }: CodeBlock): string => `${page}:${line}`

export const root = fileURLToPath(new URL('../..', import.meta.url))

const BLOCK = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm

export function readBlocks(): CodeBlock[] {
  const pages = globSync(
    ['*.md', 'docs/*.md', 'docs/deploy/*.md', 'docs/runbooks/*.md', 'examples/*/README.md', 'bench/*.md'],
    {
      cwd: root,
    },
  )
  return pages.sort().flatMap((page) => blocksOf(page, readFileSync(join(root, page), 'utf8')))
}

export function blocksOf(page: string, text: string): CodeBlock[] {
  return [...text.matchAll(BLOCK)].map(({ 1: language = '', 2: code = '', index }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }))
}
