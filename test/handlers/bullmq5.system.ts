/**
 * The engine with BullMQ 5, which apps still have; `bullmq.test.ts` runs it with 6. It replaces a module, so that it cannot share a process
 * with other files.
 */

import { expect, it, vi } from 'vitest'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { bullmqPrefix, describeWithRedis } from '../support/redis.ts'
import { engineContract } from './contract.ts'

vi.mock('bullmq', () => import('bullmq5'))

describeWithRedis('BullMQ 5', (url) => {
  const prefix = bullmqPrefix(url)

  it('is what the engine loads', async () => {
    const { version } = (await import('bullmq5')) as { version?: string }
    const { Queue } = await import('bullmq')
    expect([Queue, version ?? '5']).toEqual([(await import('bullmq5')).Queue, expect.stringMatching(/^5/)])
  })

  describeWithPostgres('with a Redis', (postgres) =>
    engineContract('as an engine', postgresDatabase(postgres), () => ({
      engine: bullmq({ connection: url, prefix }),
    })),
  )
})
