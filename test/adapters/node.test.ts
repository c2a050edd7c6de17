import { text } from 'node:stream/consumers'
import { createNodeHandler } from '../../src/adapters/node.ts'
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
      /gone: something read the request before; call the handler first/,
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
