import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createNodeHandler } from '../../src/adapters/node.ts'
import type { ClerkSync } from '../../src/index.ts'
import { ACCEPTED } from '../../src/reply.ts'
import { serveHttp } from '../support/http.ts'
import { describeAdapter } from './contract.ts'
import { listen } from './serve.ts'

describeAdapter('Node', {
  serve: (sync) => listen(createNodeHandler(sync)),
  lost: {
    'the body was read': [
      (sync) =>
        listen(async (request, response) => {
          await text(request)
          await createNodeHandler(sync)(request, response)
        }),
      /lost: something read the request before; call the handler first/,
    ],
    'an encoding was set': [
      (sync) => listen((request, response) => createNodeHandler(sync)(request.setEncoding('utf8'), response)),
      /call the handler first/,
    ],
    'somebody listened to the body': [
      (sync) =>
        listen((request, response) =>
          createNodeHandler(sync)(
            request.on('data', () => 0),
            response,
          ),
        ),
      /call the handler first/,
    ],
  },
})

it('leaves an answer alone that somebody else has given meanwhile', async () => {
  const slow = { handle: () => sleep(50).then(() => ACCEPTED) } as unknown as ClerkSync
  const handle = createNodeHandler(slow)
  const ended = Promise.withResolvers<void>()
  const url = await serveHttp((request, response) => {
    handle(request, response).then(ended.resolve, ended.reject)
    response.writeHead(503).end()
  })
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(503)
  await ended.promise
})
