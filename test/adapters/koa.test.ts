import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import bodyParser from 'koa-bodyparser'
import { createKoaHandler } from '../../src/adapters/koa.ts'
import { describeAdapter, type Serve } from './contract.ts'
import { listen } from './serve.ts'

const ADVICE = /move the app\.use\(…\) with createKoaHandler\(\) above that of koa-bodyparser/

function serveAfter(...before: Middleware[]): Serve {
  return (sync) => {
    const app = new Koa({ env: 'test' })
    for (const each of before) app.use(each)
    const router = new Router().all('/webhook', createKoaHandler(sync))
    return listen(app.use(router.routes()).use(bodyParser()).callback())
  }
}

describeAdapter('Koa', {
  serve: serveAfter(),
  lost: {
    'koa-bodyparser': [serveAfter(bodyParser()), ADVICE],
    'koa-bodyparser of text': [serveAfter(bodyParser({ enableTypes: ['json', 'text'] })), ADVICE],
  },
  kept: {
    'a parser of other types': serveAfter(bodyParser({ enableTypes: ['form'] })),
  },
})
