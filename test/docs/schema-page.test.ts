import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { schemaPage } from '../../scripts/schema-page.ts'

it('has a schema page in step with the catalogue; `npm run docs` writes it', () => {
  const page = readFileSync(new URL('../../docs/schema.md', import.meta.url), 'utf8')
  expect(page).toBe(schemaPage())
})
