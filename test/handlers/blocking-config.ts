/** The configuration of the workers of `blocking.system.ts`, one of whose handlers blocks its process. */

import { setTimeout as sleep } from 'node:timers/promises'
import { defineConfig, type HandlerTransaction, on } from '../../src/index.ts'
import { paceOf } from '../support/pace.ts'

interface Tried {
  readonly handler: string
  readonly eventId: string
  readonly resource: string
  readonly at: number
  readonly attempt: number
}

function note(tx: HandlerTransaction, { handler, eventId, resource, at, attempt }: Tried) {
  const values = [handler, eventId, resource, at, attempt, process.pid]
  return tx.query(
    `insert into ${process.env.EFFECTS} (handler, event_id, resource, at, attempt, pid) values ($1, $2, $3, $4, $5, $6)`,
    values,
  )
}

/** As a synchronous computation does. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

export default defineConfig({
  handlers: [
    on(
      'user.*',
      async ({ event, eventId, attempt, tx }) => {
        const { data, timestamp } = event
        await note(tx, {
          handler: 'beside',
          eventId,
          resource: data.id ?? '',
          at: Number(timestamp),
          attempt,
        })
        await sleep(paceOf(event))
      },
      { name: 'beside', ordered: true, retries: Array<number>(20).fill(0.2) },
    ),
    on(
      'session.created',
      async ({ event, eventId, attempt, tx, log }) => {
        await note(tx, { handler: 'blocks', eventId, resource: event.data.id, at: 0, attempt })
        if (attempt > 1) return
        log.info({ pid: process.pid }, 'blocks from now on')
        // What was logged must leave the process before it stands still.
        await sleep(100)
        block(Number(process.env.BLOCK_MS))
      },
      // Longer than it blocks, so that what ends the try is the lost lease.
      { name: 'blocks', timeoutSeconds: 120, retries: [0.2] },
    ),
  ],
})
