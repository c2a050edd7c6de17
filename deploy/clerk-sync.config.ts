/** The container's configuration: the environment's, and Redis to wake workers where there is one. Add your handlers here. */

import { defineConfig } from 'clerk-sync'
import { bullmq } from 'clerk-sync/bullmq'

const { REDIS_URL } = process.env

export default defineConfig({
  ...(REDIS_URL && { engine: bullmq({ connection: REDIS_URL }) }),
  handlers: [],
})
