/** Finds what is a person's: their addresses, and the rows that are about them. */

import { findEvent } from '../clerk/catalogue.ts'
import { readContent } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import { resourcesIn } from '../clerk/person.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import { query } from '../database/query.ts'
import type { Link } from './links.ts'
import { BATCH, type ErasureStatements, ROWS_BATCH } from './statements.ts'
import { type Subject, SubjectBuilder } from './subject.ts'

/** How far a list of events was gone through. */
export interface Position {
  readonly at: string
  readonly id: string
}

export const FIRST: Position = { at: '-infinity', id: '' }
export interface BodyRow {
  id: string
  body: Buffer | null
  secret_body: Buffer | null
}

/** The ids of the rows of a link that are not erased yet, in batches. */
export async function* rowsOf(
  { bookkeeping }: Database,
  { rows }: ErasureStatements,
  link: Link,
  { users, addresses }: Subject,
): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const found = await available(query<{ id: string }>(bookkeeping, rows(link), [users, addresses, after]))
    if (found.length > 0) yield found.map(({ id }) => id)
    if (found.length < ROWS_BATCH) return
    after = found.at(-1)?.id ?? ''
  }
}

/** What the rows and the events say is theirs: addresses that they had before are only in events. */
export async function collect(
  database: Database,
  statements: ErasureStatements,
  users: readonly string[],
): Promise<Subject> {
  const builder = new SubjectBuilder(users)
  const ask = <Row>(text: string, parameters: readonly unknown[]) =>
    available(query<Row>(database.bookkeeping, text, parameters))
  for (const { raw } of await ask<{ raw: string }>(statements.raws, [users])) builder.addUser(JSON.parse(raw))
  for (let after = FIRST; ; ) {
    const rows = await ask<BodyRow & { occurred_at: Date }>(statements.bodiesOf, [users, after.at, after.id])
    for (const { body } of rows) if (body) addFromBody(builder, body)
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) break
    after = { at: last.occurred_at.toISOString(), id: last.id }
  }
  return builder.build()
}

function addFromBody(builder: SubjectBuilder, body: Buffer): void {
  const { event } = readContent(body)
  const found = event && findEvent(event.type)
  if (!event || !found) return
  for (const { resource, data } of resourcesIn(found.resource, event.data as Payload)) {
    if (resource.table === 'users') builder.addUser(data)
  }
}
