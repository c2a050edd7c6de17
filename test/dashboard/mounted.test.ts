import express from 'express'
import { Hono } from 'hono'
import { expect, it, vi } from 'vitest'
import { createDashboardHandler, toNodeListener } from '../../src/dashboard/index.ts'
import { createClerkSync } from '../../src/index.ts'
import { listen, listenToRequests } from '../adapters/serve.ts'
import { authorize, describeMounted } from './mounted.ts'

const CLOSED = { basePath: '/closed', environment: 'production' } as const

describeMounted('Express', {
  serve: (sync) => {
    const app = express()
    app.use('/dashboard', toNodeListener(createDashboardHandler(() => sync, { authorize })))
    app.use('/closed', toNodeListener(createDashboardHandler(sync, CLOSED)))
    return listen(app.use(express.json()))
  },
})

describeMounted('Hono', {
  serve: (sync) => {
    const dashboard = createDashboardHandler(sync, { authorize })
    const closed = createDashboardHandler(sync, CLOSED)
    const app = new Hono()
    app.all('/dashboard/*', (c) => dashboard(c.req.raw))
    app.all('/closed/*', (c) => closed(c.req.raw))
    return listenToRequests(app.fetch)
  },
})

it('answers 503 until it can be made, and the log says why', async () => {
  const logged = vi.spyOn(console, 'error').mockReturnValue()
  const make = vi.fn(() => createClerkSync({ database: 'memory://', schema: 'x'.repeat(64) }))
  const handler = createDashboardHandler(make, { authorize })
  expect(make).not.toHaveBeenCalled()
  const response = await handler(new Request('https://test/dashboard'))
  expect([response.status, await response.text()]).toEqual([503, expect.not.stringContaining('schema')])
  expect(logged.mock.calls.flat().join()).toContain('"code":"option_invalid"')
  logged.mockRestore()
})
