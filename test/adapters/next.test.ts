import { text } from 'node:stream/consumers'
import { createNextHandler, createNextPagesHandler } from '../../src/adapters/next.ts'
import { describeAdapter } from './contract.ts'
import { listen, listenToRequests } from './serve.ts'

describeAdapter('Next, App Router', {
  serve: (sync) => listenToRequests(createNextHandler(sync)),
  lost: {
    'the Request was read': [
      (sync) => listenToRequests((request) => request.text().then(() => createNextHandler(sync)(request))),
      /hand it over untouched, and read request\.clone\(\) yourself/,
    ],
  },
})

describeAdapter('Next, Pages Router', {
  serve: (sync) => listen(createNextPagesHandler(sync)),
  lost: {
    'Next’s body parser': [
      (sync) =>
        listen(async (request, response) => {
          await text(request)
          await createNextPagesHandler(sync)(request, response)
        }),
      /add `export const config = \{ api: \{ bodyParser: false \} \}`/,
    ],
  },
})
