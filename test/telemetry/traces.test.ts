/** A delivery, its commit and its handlers are one trace, whichever engine and whichever process runs them. */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { configure, tasks } from '@trigger.dev/sdk'
import { Inngest } from 'inngest'
import { serve } from 'inngest/node'
import { beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { inngest, inngestFunctions } from '../../src/handlers/engines/inngest.ts'
import { taskRun, trigger } from '../../src/handlers/engines/trigger.ts'
import { type ClerkSync, type EngineFactory, postgres } from '../../src/index.ts'
import { openTelemetry } from '../../src/opentelemetry.ts'
import { InngestServer } from '../handlers/inngest-server.ts'
import { TriggerServer } from '../handlers/trigger-server.ts'
import { describeWithPostgres, embeddedDatabase, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'
import { getFinishedSpans, recordSpans, spansOf } from './spans.ts'

beforeAll(recordSpans)

const app = trace.getTracer('the app')
const PATIENT = { timeout: 30_000, interval: 20 }
const EMAIL = 'ada.traced@example.com'

interface Installation {
  readonly engine: EngineFactory
  readonly install?: (sync: ClerkSync) => Promise<void>
}

const ENGINES: Readonly<Record<string, () => Promise<Installation>>> = {
  Postgres: async () => ({ engine: postgres() }),
  BullMQ: async () => {
    const prefix = `clerk-sync-test-${randomBytes(4).toString('hex')}`
    return { engine: bullmq({ connection: inject('redisUrl') as string, prefix }) }
  },
  Inngest: async () => {
    const { url } = await InngestServer.start()
    const client = new Inngest({ id: 'traced', baseUrl: url, eventKey: 'test', isDev: true })
    const install = async (sync: ClerkSync) => {
      const server = createServer(serve({ client, functions: inngestFunctions(client, sync) }))
      await once(server.listen(0, '127.0.0.1'), 'listening')
      onTestFinished(() => {
        server.closeAllConnections()
        server.close()
      })
      const { port } = server.address() as AddressInfo
      await fetch(`http://127.0.0.1:${port}/api/inngest`, { method: 'PUT' })
    }
    return { engine: inngest({ client }), install }
  },
  'Trigger.dev': async () => {
    const server = await TriggerServer.start()
    configure({ baseURL: server.url, accessToken: 'tr_dev_test' })
    const install = async (sync: ClerkSync) => server.deploy('clerk-sync', taskRun(sync))
    return { engine: trigger({ tasks }), install }
  },
}

describeWithPostgres('a trace', (url) => {
  const names = Object.keys(ENGINES).filter((name) => name !== 'BullMQ' || inject('redisUrl') !== null)

  it.each(names)('goes from the delivery through %s to the handler in another process', async (name) => {
    const database = postgresDatabase(url)
    const { engine, install } = await (ENGINES[name] as () => Promise<Installation>)()
    const open = async () => {
      const sync = await database.open({ engine, tracing: openTelemetry() })
      onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
      sync.on('user.created', (context) => app.startActiveSpan('inside', (span) => handle(span, context)), {
        name: 'traced',
        retries: [0.05],
      })
      return sync
    }
    const handle = (span: { end(): void }, { attempt }: { attempt: number }) => {
      span.end()
      if (attempt === 1) throw new TypeError(`no mail to ${EMAIL}`)
    }
    const [receiver, worker] = [await open(), await open()]
    await install?.(worker)
    await worker.work()
    const event = eventOf('user.created', { id: `user_traced${name.replace('.', '')}` })
    const { svixId, traceId } = await app.startActiveSpan('request', async (span) => {
      const receipt = await deliver(receiver, event)
      span.end()
      return { svixId: receipt.svixId, traceId: span.spanContext().traceId }
    })
    const tries = () => spansOf(svixId).filter((span) => span.name === 'clerk-sync handler traced')
    await vi.waitFor(() => expect(tries()).toHaveLength(2), PATIENT)

    const spans = spansOf(svixId)
    const find = (title: string) => spans.find((span) => span.name === title)
    const [request, delivery, commit] = [
      find('request'),
      find('clerk-sync delivery'),
      find('clerk-sync commit'),
    ]
    expect(delivery?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
    expect(delivery).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: {
        'clerk_sync.event_id': svixId,
        'clerk_sync.event_type': 'user.created',
        'clerk_sync.outcome': 'applied',
      },
    })
    expect(commit?.parentSpanContext?.spanId).toBe(delivery?.spanContext().spanId)
    expect(commit?.attributes).toEqual({ 'clerk_sync.events': 1 })

    const [first, second] = tries()
    expect(first?.spanContext().traceId).toBe(traceId)
    expect(first?.parentSpanContext).toMatchObject({ spanId: delivery?.spanContext().spanId, isRemote: true })
    expect(first).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'clerk_sync.attempt': 1, 'error.type': 'TypeError' },
    })
    expect(find('inside')?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId)
    // A later try has a trace of its own, which names the delivery's.
    expect(second?.spanContext().traceId).not.toBe(traceId)
    expect(second?.links).toMatchObject([{ context: { traceId, spanId: delivery?.spanContext().spanId } }])
    expect(
      JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain(EMAIL)
  })
})

describe('tracing', () => {
  const database = embeddedDatabase()

  it('tells what a refused delivery was refused for', async () => {
    const sync = await database.open({ tracing: openTelemetry() })
    const signed = sign(eventOf('user.created'))
    const traceId = await app.startActiveSpan('refused', async (span) => {
      await expect(sync.receive(`${signed.body} `, signed.headers)).rejects.toThrow()
      span.end()
      return span.spanContext().traceId
    })
    const refused = getFinishedSpans().find(
      (span) => span.name === 'clerk-sync delivery' && span.spanContext().traceId === traceId,
    )
    expect(refused).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'signature_mismatch' },
    })
  })

  it('leaves no trace of an event that came without it', async () => {
    const sync = await database.open()
    const { svixId } = await deliver(sync, eventOf('user.created', { id: 'user_untraced' }))
    const [row] = await sync.database
      .selectFrom('events')
      .select('traceparent')
      .where('id', '=', svixId)
      .execute()
    expect(row?.traceparent).toBeNull()
    expect(spansOf(svixId)).toEqual([])
  })
})
