/** Migrations of an imagined next release: one of every kind, and the contract step of the release after it. */

import { MIGRATIONS } from '../../src/database/migrate.ts'
import type { Migration } from '../../src/database/migrations/migration.ts'

export const EXPAND: readonly Migration[] = [
  { name: '9001_notes', kind: 'statements', sql: 'alter table users add column note text;\n' },
  {
    name: '9002_fill_notes',
    kind: 'batches',
    sql: `update users set note = 'filled' where id in (select id from users where note is null limit 100);\n`,
  },
  { name: '9003_notes_index', kind: 'index', index: 'users_note_idx', on: 'users (note)' },
]

export const NEXT: readonly Migration[] = [...MIGRATIONS, ...EXPAND]

/** Code of before `9001_notes` does not write the column that is wanted from here on. */
export const AFTER_NEXT: readonly Migration[] = [
  ...NEXT,
  {
    name: '9004_notes_are_required',
    kind: 'statements',
    oldestLevel: 9001,
    sql: `alter table users add constraint has_note check (note is not null) not valid;\n`,
  },
]
