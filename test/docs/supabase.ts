/** What a Supabase project has that a plain Postgres lacks, as far as the documentation speaks of it. */

import { sql } from 'kysely'
import type { ClerkSync } from '../../src/index.ts'

export async function createSupabaseRoles(sync: ClerkSync): Promise<void> {
  await sql`create role authenticated nologin`.execute(sync.database)
}
