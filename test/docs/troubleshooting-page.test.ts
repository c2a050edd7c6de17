import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { renderTroubleshootingPage } from '../../scripts/troubleshooting-page.ts'
import { EXPLANATIONS } from '../../src/explanations/catalogue.ts'

const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')

describe('docs/troubleshooting.md', () => {
  it('is what the tables of codes say; else run `npm run docs`', () => {
    expect(page).toBe(renderTroubleshootingPage())
  })

  it('has a heading for every code, and links only to headings', () => {
    const headings = [...page.matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    )
    expect(headings).toEqual(expect.arrayContaining(EXPLANATIONS.map(({ code }) => code)))
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, target]) => target)
    expect(links.length).toBeGreaterThan(5)
    expect(links.filter((target) => !headings.includes(target as string))).toEqual([])
  })
})
