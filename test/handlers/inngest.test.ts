import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InngestTestEngine } from '@inngest/test'
import { Inngest } from 'inngest'
import { serve } from 'inngest/node'
import { expect, it, onTestFinished, vi } from 'vitest'
import { inngest, inngestFunctions } from '../../src/handlers/engines/inngest.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { engineContract } from './contract.ts'
import { InngestServer } from './inngest-server.ts'

let started: Promise<InngestServer> | undefined
const server = () => {
  started ??= InngestServer.start()
  return started
}

let apps = 0

/** A client as an app has it, and the app's route, which is registered as a deployment does it. */
async function connect() {
  const { url } = await server()
  const client = new Inngest({ id: `app-${apps++}`, baseUrl: url, eventKey: 'test', isDev: true })
  const install = async (sync: ClerkSync) => {
    const app = createServer(serve({ client, functions: inngestFunctions(client, sync) }))
    await once(app.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      app.closeAllConnections()
      app.close()
    })
    const route = `http://127.0.0.1:${(app.address() as AddressInfo).port}/api/inngest`
    expect((await fetch(route, { method: 'PUT' })).status).toBe(200)
  }
  return { client, install }
}

describeEachDatabase('Inngest', (database) => {
  engineContract('as an engine', database, async () => {
    const { client, install } = await connect()
    return { engine: inngest({ client }), install }
  })

  it('is sent ids only, with the svix-id as the id', async () => {
    const { client } = await connect()
    const sync = await database.open({ engine: inngest({ client }) })
    onTestFinished(() => sync.close())
    const handler = `ids-only-${apps}`
    sync.on('user.created', () => undefined, { name: handler })
    const { svixId: eventId } = await deliver(sync, eventOf('user.created', { id: `user_inngest${apps}` }))
    const { events } = await server()
    const sent = () => events.find(({ name }) => name === `clerk-sync/${handler}.due`)
    await vi.waitFor(() =>
      expect(sent()).toMatchObject({ id: `${eventId}:${handler}`, data: { eventId, handler } }),
    )
  })

  it('that is down keeps no event from being taken, and its run is found when somebody looks', async () => {
    const { client } = await connect()
    const inngestServer = await server()
    inngestServer.isDown = true
    onTestFinished(() => {
      inngestServer.isDown = false
    })
    const seen: string[] = []
    const sync = await database.open({ engine: inngest({ client }) })
    onTestFinished(() => sync.close())
    sync.on('user.created', ({ eventId }) => seen.push(eventId), { name: `down-${apps}` })
    const { svixId, outcome } = await deliver(
      sync,
      eventOf('user.created', { id: `user_inngestDown${apps}` }),
    )
    expect(outcome).toBe('applied')
    await sync.drain()
    expect(seen).toEqual([svixId])
  })

  it('runs a function that does what its event says, and nothing when that is done', async () => {
    const { client } = await connect()
    const seen: string[] = []
    const sync = await database.open({ engine: inngest({ client }) })
    onTestFinished(() => sync.close())
    const name = `engine-${apps}`
    sync.on('user.created', ({ eventId }) => seen.push(eventId), { name })
    const { svixId } = await deliver(sync, eventOf('user.created', { id: `user_inngestEngine${apps}` }))
    const [definition] = inngestFunctions(client, sync)
    const events = [{ name: `clerk-sync/${name}.due`, data: { eventId: svixId, handler: name } }]
    for (let time = 0; time < 2; time++) {
      const { error } = await new InngestTestEngine({
        function: definition as never,
        events: events as never,
      }).execute()
      expect(error).toBeUndefined()
    }
    expect(seen).toEqual([svixId])
  })
})
