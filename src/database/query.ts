/** Runs hand-written SQL through Kysely. */

import { CompiledQuery, type QueryExecutorProvider } from 'kysely'

export async function query<Row>(
  executor: QueryExecutorProvider,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await executor.getExecutor().executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))
  return rows
}
