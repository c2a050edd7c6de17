import { configure, tasks } from '@trigger.dev/sdk'
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { taskRun, trigger } from '../../src/handlers/engines/trigger.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { engineContract } from './contract.ts'
import { TriggerServer } from './trigger-server.ts'

let server: TriggerServer

beforeAll(async () => {
  server = await TriggerServer.start()
  configure({ baseURL: server.url, accessToken: 'tr_dev_test' })
})

let made = 0

describeEachDatabase('Trigger.dev', (database) => {
  engineContract('as an engine', database, async () => {
    const taskId = 'clerk-sync'
    return {
      engine: trigger({ tasks, taskId }),
      install: async (sync) => server.deploy(taskId, taskRun(sync)),
    }
  })

  it('is triggered with ids only, and an idempotency key', async () => {
    const sync = await database.open({ engine: trigger({ tasks, taskId: 'keys' }) })
    onTestFinished(() => sync.close())
    const name = `keys-${made++}`
    sync.on('user.created', () => undefined, { name })
    const { svixId } = await deliver(sync, eventOf('user.created', { id: `user_trigger${made++}` }))
    await vi.waitFor(() =>
      expect(server.triggered.filter(({ payload }) => payload.handler === name)).toHaveLength(1),
    )
    expect(server.triggered.find(({ payload }) => payload.handler === name)).toEqual({
      taskId: 'keys',
      payload: { eventId: svixId, handler: name },
      idempotencyKey: expect.any(String),
    })
  })
})
