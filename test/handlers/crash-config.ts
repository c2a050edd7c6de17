/** The configuration of the workers that `crash.system.ts` kills. */

import { setTimeout as sleep } from 'node:timers/promises'
import { defineConfig, on } from '../../src/index.ts'
import { paceOf } from '../support/pace.ts'

const retries = Array<number>(100).fill(0.2)

export default defineConfig({
  handlers: [
    on(
      'user.*',
      async ({ event, eventId, tx }) => {
        const values = [eventId, event.data.id, event.timestamp]
        await tx.query(
          `insert into ${process.env.EFFECTS} (event_id, user_id, at) values ($1, $2, $3)`,
          values,
        )
        await sleep(paceOf(event))
      },
      { name: 'effect', ordered: true, retries },
    ),
    on('session.created', () => process.exit(7), { name: 'exits', retries: 0 }),
    on(
      'organization.created',
      ({ event, tx }) =>
        tx.query(`insert into ${process.env.EFFECTS} (event_id, user_id, at) values ($1, $1, 0)`, [
          event.data.id,
        ]),
      {
        name: 'beside',
        retries,
      },
    ),
  ],
})
