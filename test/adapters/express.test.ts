import express, { type RequestHandler } from 'express'
import { createExpressHandler } from '../../src/adapters/express.ts'
import { describeAdapter, type Serve } from './contract.ts'
import { listen } from './serve.ts'

const ADVICE = /move the line with createExpressHandler\(\) above app\.use\(express\.json\(\)\)/

function serveAfter(...before: RequestHandler[]): Serve {
  return (sync) => {
    const app = express()
    for (const each of before) app.use(each)
    return listen(app.all('/webhook', createExpressHandler(sync)).use(express.json()))
  }
}

describeAdapter('Express', {
  serve: serveAfter(),
  lost: {
    'express.json()': [serveAfter(express.json()), ADVICE],
    'express.text()': [serveAfter(express.text({ type: '*/*' })), ADVICE],
  },
  kept: {
    'express.raw()': serveAfter(express.raw({ type: '*/*' })),
    'express.json() that keeps the bytes': serveAfter(
      express.json({ verify: (request, _, bytes) => Object.assign(request, { rawBody: bytes }) }),
    ),
    'parsers of other types': serveAfter(express.urlencoded(), express.json({ type: 'text/json' })),
  },
})
