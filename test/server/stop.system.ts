import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startServer } from '../../src/server/server.ts'
import { describeWithPostgres, embeddedDatabase, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { createTcpProxy, RawConnection, rawDelivery } from '../support/sockets.ts'

const PATH = '/api/webhooks/clerk'

const delivery = () => sign(eventOf('user.created'))

function get(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`)
}

function post(port: number): Promise<Response> {
  const { headers, body } = delivery()
  return fetch(`http://127.0.0.1:${port}${PATH}`, { method: 'POST', headers, body })
}

describe('stopping the server', () => {
  const database = embeddedDatabase()
  const start = async (graceMs?: number) => startServer({ sync: await database.open(), port: 0, graceMs })

  it('answers the delivery under way, refuses later ones and closes every connection', async () => {
    const server = await start()
    const signed = delivery()
    const underWay = new RawConnection(server.port).send(rawDelivery(signed, { sent: 100 }))
    const fresh = await new RawConnection(server.port).opened()
    const silent = await new RawConnection(server.port).opened()
    const idle = new RawConnection(server.port).send('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await idle.until('{"ok":true}')
    while (server.underWay === 0) await sleep(5)

    const stopped = server.stop()
    for (const connection of [idle, fresh]) {
      const answer = await connection.send(rawDelivery(delivery())).untilClosed()
      expect(answer).toMatch(
        /HTTP\/1.1 503 .*connection: close.*retry-after: 5.*\{"error":"shutting_down"\}$/is,
      )
    }
    await expect(get(server.port, '/healthz')).rejects.toThrow()

    underWay.send(signed.body.slice(100))
    expect(await underWay.untilClosed()).toMatch(/^HTTP\/1.1 200 .*connection: close.*\{"ok":true\}/is)
    expect(await stopped).toBe('drained')
    await silent.untilClosed()
  })

  it('is not ready while it stops', async () => {
    const server = await start()
    const underWay = new RawConnection(server.port).send(rawDelivery(delivery(), { sent: 100 }))
    const probe = await new RawConnection(server.port).opened()
    while (server.underWay === 0) await sleep(5)
    const stopped = server.stop()
    const answer = await probe.send('GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n').untilClosed()
    expect(answer).toMatch(/^HTTP\/1.1 503 .*\{"error":"shutting_down"\}/is)
    underWay.close()
    expect(await stopped).toBe('drained')
  })

  it('cuts off what is not done within the grace period', async () => {
    const server = await start(300)
    const stuck = new RawConnection(server.port).send(rawDelivery(delivery(), { sent: 100 }))
    while (server.underWay === 0) await sleep(5)
    const startedAt = performance.now()
    expect(await server.stop()).toBe('cut_off')
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(await stuck.untilClosed()).toBe('')
  })

  it('loses none of the deliveries that it answered while it was stopped under load', async () => {
    const server = await start()
    const answered: string[] = []
    const senders = Array.from({ length: 20 }, () => sendUntilRefused(server.port, answered))
    while (answered.length < 50) await sleep(5)
    expect(await server.stop()).toBe('drained')
    for (const end of await Promise.all(senders)) expect([503, 'ECONNREFUSED', 'ECONNRESET']).toContain(end)

    const sync = await database.open()
    const rows = await sync.database.selectFrom('events').select('id').where('id', 'in', answered).execute()
    expect(rows).toHaveLength(answered.length)
  })
})

/** Sends deliveries over one connection, each after the answer to the one before; returns what ended it. */
async function sendUntilRefused(port: number, answered: string[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (;;) {
      const { id, headers, body } = delivery()
      const outgoing = request({ host: '127.0.0.1', port, path: PATH, method: 'POST', headers, agent })
      const [response] = await once(outgoing.end(body), 'response')
      await once(response.resume(), 'end')
      if (response.statusCode !== 200) return response.statusCode as number
      answered.push(id)
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    agent.destroy()
  }
}

describeWithPostgres('a server whose Postgres goes away', (url) => {
  const { hostname, port } = new URL(url)
  const database = postgresDatabase(url)

  it('lives, is not ready meanwhile, and is ready again afterwards', async () => {
    const proxy = await createTcpProxy({ host: hostname, port: Number(port || 5432) })
    const { schema } = await database.location()
    const viaProxy = new URL(url)
    viaProxy.host = `127.0.0.1:${proxy.port}`
    const sync = await database.open({ database: viaProxy.href, schema })
    const server = await startServer({ sync, port: 0 })
    const readiness = async () => {
      const response = await get(server.port, '/readyz')
      const { error } = (await response.json()) as { error?: string }
      return [response.status, error]
    }
    expect(await readiness()).toEqual([200, undefined])

    proxy.cut()
    expect(await readiness()).toEqual([503, 'database_unavailable'])
    expect((await get(server.port, '/healthz')).status).toBe(200)
    const refused = await post(server.port)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])

    proxy.restore()
    expect(await readiness()).toEqual([200, undefined])
    expect((await post(server.port)).status).toBe(200)

    proxy.freeze()
    const startedAt = performance.now()
    const answers = await Promise.all([readiness(), readiness()])
    expect(answers).toEqual(Array(2).fill([503, 'database_timeout']))
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    proxy.close()
    await server.stop()
  })

  it('is not ready without tables', async () => {
    const { schema } = await database.location()
    const server = await startServer({ sync: await database.open(), port: 0 })
    const sync = await database.open({ schema: `${schema}_empty` })
    await sync.database.schema.dropSchema(`${schema}_empty`).cascade().execute()
    const empty = await startServer({ sync, port: 0 })
    const response = await get(empty.port, '/readyz')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: 'database_outdated' })
    await Promise.all([server.stop(), empty.stop()])
  })
})
