import { describeAdapter } from './contract.ts'
import { listenToRequests } from './serve.ts'

describeAdapter('fetch', {
  serve: (sync) => listenToRequests((request) => sync.fetch(request)),
  lost: {
    'the Request was read': [
      (sync) => listenToRequests((request) => request.text().then(() => sync.fetch(request))),
      /pass it untouched, and read request\.clone\(\) yourself/,
    ],
  },
  kept: {
    'a clone of the Request was read': (sync) =>
      listenToRequests((request) =>
        request
          .clone()
          .text()
          .then(() => sync.fetch(request)),
      ),
  },
})
