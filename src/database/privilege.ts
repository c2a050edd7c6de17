/** What a database user lacks, as the statement that grants it. */

import { type Kysely, sql } from 'kysely'
import { ClerkSyncError } from '../errors.ts'
import { isDenied, messageOf } from './failure.ts'
import { quoteIdentifier } from './identifier.ts'
import type { ClerkTables } from './tables.ts'

/** The error for what the database denied, with the grant; undefined if it denied nothing. */
export async function explainDenial(
  database: Kysely<ClerkTables>,
  schema: string,
  error: unknown,
): Promise<ClerkSyncError | undefined> {
  const cause = error instanceof ClerkSyncError && error.cause ? error.cause : error
  if (!isDenied(cause)) return undefined
  const message = messageOf(cause)
  const names = await namesOf(database)
  const remedy = names && `As the owner run: ${grantFor(message, schema, names)}`
  return new ClerkSyncError('database_denied', message, { cause, remedy })
}

interface Names {
  readonly role: string
  readonly database: string
}

/** Undefined if the database does not answer. */
async function namesOf(database: Kysely<ClerkTables>): Promise<Names | undefined> {
  const names = sql<Names>`select current_user::text as role, current_database()::text as database`
  const { rows } = await names.execute(database).catch(() => ({ rows: [] }))
  return rows[0]
}

/** By what the message says that permission was denied for. */
function grantFor(message: string, schema: string, names: Names): string {
  const role = quoteIdentifier(names.role)
  const quoted = quoteIdentifier(schema)
  if (/denied for database/.test(message))
    return `create schema ${quoted} authorization ${role}; or: grant create on database ${quoteIdentifier(names.database)} to ${role};`
  if (/denied for schema/.test(message)) return `grant usage, create on schema ${quoted} to ${role};`
  const tables = `grant select, insert, update, delete on all tables in schema ${quoted} to ${role};`
  return `${tables} grant usage on all sequences in schema ${quoted} to ${role};`
}
