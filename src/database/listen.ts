/** Hears Postgres' notifications, on a connection of its own. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, PoolConfig } from 'pg'
import { CONNECT_TIMEOUT_MS, connectionOptions } from './connections.ts'

/**
 * Listens on a channel, whose name is ours.
 * @param onBroken called once the connection is gone
 * @returns what ends it
 */
export type Listen = (
  channel: string,
  onText: (text: string) => void,
  onBroken: () => void,
) => Promise<() => Promise<void>>

/** How long the first statement may take. */
const ANSWER_MS = 2_000

export function listenOnPostgres(config: PoolConfig): Listen {
  return async (channel, onText, onBroken) => {
    const { default: pg } = await import('pg')
    const client = new pg.Client(connectionOptions(config))
    client.on('notification', ({ payload }) => onText(payload ?? ''))
    client.on('error', onBroken)
    client.on('end', onBroken)
    await answered(
      client,
      client.connect().then(async () => {
        await requireOwnProcess(client)
        await client.query(`listen "${channel}"`)
      }),
    )
    return async () => cutOff(client)
  }
}

/** A pooler is in between. */
export class Pooled extends Error {}

/**
 * A pooler that gives each transaction another connection would leave one of them listening for ever, and its next users
 * would be sent what was meant for us. It shows by a process that is another one than the connection says.
 */
async function requireOwnProcess(client: Client): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  if (rows[0]?.pid !== processID) throw new Pooled('a pooler is between here and the database')
}

/** A connection that does not answer to its first statement is none. */
async function answered(client: Client, work: Promise<unknown>): Promise<void> {
  const late = sleep(ANSWER_MS + CONNECT_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error('the connection does not answer')
  })
  late.catch(() => undefined)
  try {
    await Promise.race([work, late])
  } catch (error) {
    work.catch(() => undefined)
    cutOff(client)
    throw error
  }
}

/** Without waiting for an answer: it may be dead. */
function cutOff(client: Client): void {
  void client.end().catch(() => undefined)
  const { connection } = client as unknown as { connection: { stream: { destroy?(): void } } }
  connection.stream.destroy?.()
}
