import express from 'express'
import { Hono } from 'hono'
import { createDashboardHandler, toNodeListener } from '../../src/dashboard/index.ts'
import { listen, listenToRequests } from '../adapters/serve.ts'
import { authorize, describeMounted } from './mounted.ts'

const CLOSED = { basePath: '/closed', environment: 'production' } as const

describeMounted('Express', {
  serve: (sync) => {
    const app = express()
    app.use('/dashboard', toNodeListener(createDashboardHandler(sync, { authorize })))
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
