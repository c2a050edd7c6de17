/** The configuration of the receivers and workers: handlers that do nothing, so that the runs themselves are measured. */

import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { defineConfig, on, postgres } from '../../src/index.ts'

const { SCALING_REDIS } = process.env

export default defineConfig({
  engine: SCALING_REDIS ? bullmq({ connection: SCALING_REDIS }) : postgres(),
  handlers: [
    on('user.created', () => undefined, { name: 'created' }),
    // Updates of a hot user have to wait for each other.
    on('user.updated', () => undefined, { name: 'updated', ordered: true }),
  ],
})
