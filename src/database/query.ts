/** Runs hand-written SQL through Kysely. */

import { CompiledQuery, type QueryExecutorProvider } from 'kysely'

/** A statement with its parameters. */
export interface Statement {
  readonly text: string
  readonly parameters: readonly unknown[]
  /** How many rows it must write. */
  readonly stores?: number | undefined
}

export async function query<Row>(
  executor: QueryExecutorProvider,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await executor.getExecutor().executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))
  return rows
}
