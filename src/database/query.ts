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
  const { rows } = await executor.getExecutor().executeQuery<Row>(compile({ text, parameters }))
  return rows
}

/**
 * Runs statements of a transaction in their order, without waiting for one's answer before the next is sent, where the
 * connection can do that. Rejects with the first failure; the statements after it have failed too by then.
 * @returns the rows of each
 */
export function queryAll(
  executor: QueryExecutorProvider,
  statements: readonly Statement[],
): Promise<unknown[][]> {
  return executor.getExecutor().provideConnection(async (connection) => {
    const running = statements.map((statement) => connection.executeQuery(compile(statement)))
    // All of them: the connection is free for others only when nothing is under way any more.
    await Promise.allSettled(running)
    return (await Promise.all(running)).map(({ rows }) => rows)
  })
}

function compile({ text, parameters }: Statement): CompiledQuery {
  return CompiledQuery.raw(text, [...parameters])
}
