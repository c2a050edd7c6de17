import { Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { createHonoHandler } from '../../src/adapters/hono.ts'
import { describeAdapter, type Serve } from './contract.ts'
import { listenToRequests } from './serve.ts'

function serveAfter(...before: MiddlewareHandler[]): Serve {
  return (sync) => {
    const app = new Hono()
    for (const each of before) app.use(each)
    return listenToRequests(app.all('/webhook', createHonoHandler(sync)).fetch)
  }
}

const ADVICE = /move the line with createHonoHandler\(\) above/

describeAdapter('Hono', {
  serve: serveAfter(),
  lost: {
    'c.req.json()': [serveAfter((c, next) => c.req.json().then(next)), ADVICE],
    'c.req.text()': [serveAfter((c, next) => c.req.text().then(next)), ADVICE],
  },
  kept: {
    'the body limit': serveAfter(bodyLimit({ maxSize: 1_000_000 })),
  },
})
