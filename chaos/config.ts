/** The configuration of the receivers and workers: one handler whose effect is in Postgres, one whose effect is outside. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bullmq } from '../src/handlers/engines/bullmq.ts'
import { defineConfig, on, postgres } from '../src/index.ts'

/** Whoever fails does so because of the chaos, and is tried again at once. */
const retries = Array<number>(200).fill(0.2)
const { CHAOS_REDIS, CHAOS_SINK = '' } = process.env

// For a soak, which reads what is left when the garbage is gone: V8 collects it when it sees fit. Only as a last resort does it
// also give back the pages of its young generation, of which it keeps up to 128 MiB.
setFlagsFromString('--expose-gc')
const collectGarbage: (options: object) => void = runInNewContext('gc')
process.on('SIGUSR2', () => collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' }))

export default defineConfig({
  engine: CHAOS_REDIS ? bullmq({ connection: CHAOS_REDIS }) : postgres(),
  handlers: [
    on(
      'user.*',
      ({ event, eventId, tx }) =>
        tx.query('insert into chaos.effects (event_id, user_id, at) values ($1, $2, $3)', [
          eventId,
          event.data.id,
          event.timestamp,
        ]),
      { name: 'effect', ordered: true, retries },
    ),
    on(
      '*',
      async ({ eventId, idempotencyKey, signal }) => {
        const body = JSON.stringify({ eventId, idempotencyKey })
        const { ok } = await fetch(CHAOS_SINK, { method: 'POST', body, signal })
        if (!ok) throw new Error('the sink refused the call')
      },
      { name: 'notify', transactional: false, timeoutSeconds: 10, retries },
    ),
  ],
})
