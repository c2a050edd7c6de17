/** A released migration has run in databases that nobody can reach: it is never edited, another one is added. */

import { hash } from 'node:crypto'
import { expect, it } from 'vitest'
import { MIGRATIONS } from '../../src/database/migrate.ts'

/** By their names, in their order. Add a migration's here when it is released; never change one. */
const RELEASED: Readonly<Record<string, string>> = {
  '0001_initial': '01af06e546dd3ce99f1574c5d943aa07b34d4c1726d10d232b6eee1442250e91',
}

it('migrations stay as they were released', () => {
  const first = MIGRATIONS.slice(0, Object.keys(RELEASED).length)
  const found = first.map((migration) => [migration.name, hash('sha256', JSON.stringify(migration))])
  expect(Object.fromEntries(found)).toEqual(RELEASED)
})
