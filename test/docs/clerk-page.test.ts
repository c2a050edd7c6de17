/** The ledger of facts in docs/clerk.md beside the catalogue. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { unreadOf } from '../../src/backfill/coverage.ts'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { root } from './code-blocks.ts'

const rows = readFileSync(join(root, 'docs/clerk.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))

/** What is said of a table: events, Backend API, what nobody tells, how old a row may be. */
function factsOf(table: string): readonly string[] {
  const [found = [], ...others] = rows.filter(([, names = '']) => names.includes(`\`${table}\``))
  expect([found.length > 0, others.length]).toEqual([true, 0])
  return found.slice(2)
}

it.each([...RESOURCES.keys()])('says what tells of %s, and what its age may be', (table) => {
  const [events, api, , age] = factsOf(table)
  expect([events, api, age].every((fact) => fact !== undefined && fact !== '')).toBe(true)
  const types = Object.keys(RESOURCES.get(table)?.events ?? {})
  expect(events?.startsWith('none')).toBe(types.length === 0)
})

it('says of the same tables as a reconcile that no sweep covers them', () => {
  const unread = new Map(
    unreadOf(new Set(RESOURCES.keys())).map((each) => [each.resource as string, each.reason]),
  )
  for (const table of RESOURCES.keys()) {
    const [, api = ''] = factsOf(table)
    const reason = unread.get(table)
    if (reason === undefined) expect([table, api]).toEqual([table, expect.stringMatching(/^swept/)])
    else
      expect([table, api]).toEqual([
        table,
        expect.stringMatching(reason === 'not_listed' ? /^none/ : /^on request/),
      ])
  }
})
