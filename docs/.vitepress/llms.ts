/** `llms.txt` and `llms-full.txt`, for language models: https://llmstxt.org */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

interface Site {
  readonly docs: string
  readonly outDir: string
  /** Every page as a path inside `docs`, with `.md`. */
  readonly pages: readonly string[]
  readonly description: string
  titleOf(page: string): string
}

export function writeLlmsFiles({ docs, outDir, pages, description, titleOf }: Site): void {
  const guides = pages.filter((page) => page !== 'index.md' && !page.startsWith('api/')).toSorted()
  const text = (page: string) => readFileSync(resolve(docs, page), 'utf8')
  const entry = (page: string) => `- [${titleOf(page.slice(0, -3))}](/${page}): ${firstSentence(text(page))}`

  writeFileSync(
    resolve(outDir, 'llms.txt'),
    `# clerk-sync\n\n> ${description}\n\n## Docs\n\n${guides.map(entry).join('\n')}\n\n## API\n\n- [API reference](/api/): every export, with parameters, defaults and errors\n`,
  )
  writeFileSync(resolve(outDir, 'llms-full.txt'), guides.map(text).join('\n\n---\n\n'))
  for (const page of guides) {
    writeFileSync(resolve(outDir, page), text(page))
  }
}

/** The beginning of a page's first paragraph, up to a full stop after at least sixty characters. */
function firstSentence(markdown: string): string {
  const paragraphs = markdown.replace(/```[\s\S]*?```/g, '').split(/\n{2,}/)
  const prose = paragraphs.find((paragraph) => /^[A-Z`*[]/.test(paragraph)) ?? ''
  const line = prose
    .replaceAll('\n', ' ')
    .replaceAll('**', '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.{60,}?[.](?= |$)/.exec(line)?.[0] ?? line
}
