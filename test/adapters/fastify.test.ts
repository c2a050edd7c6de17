import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify, { type FastifyInstance } from 'fastify'
import { createFastifyHandler } from '../../src/adapters/fastify.ts'
import { describeAdapter, type Serve } from './contract.ts'

function serveAfter(before: (app: FastifyInstance) => unknown): Serve {
  return async (sync) => {
    const app = fastify({ bodyLimit: 1_000 })
    before(app)
    app.all('/webhook', createFastifyHandler(sync))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() }
  }
}

describeAdapter('Fastify', {
  serve: serveAfter(() => undefined),
  lost: {
    'a hook read it': [
      serveAfter((app) => app.addHook('onRequest', async ({ raw }) => void (await text(raw)))),
      /an onRequest hook read request\.raw first/,
    ],
  },
  kept: {
    'parsers of the app': serveAfter((app) => {
      app.addContentTypeParser('*', { parseAs: 'string' }, (_request, _body, done) => done(new Error('no')))
      app.addHook('preValidation', async () => Promise.reject(new Error('no')))
    }),
  },
})
