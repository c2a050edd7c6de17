import { sharedClerkSync } from 'clerk-sync'
import app from './main.ts'

// Deno's --preload does not reach `deno serve`.
await import('../relay.mjs')

export default {
  ...app,
  async fetch(request: Request) {
    if (!request.url.endsWith('/read')) return app.fetch(request)
    await request.text()
    return sharedClerkSync().fetch(request)
  },
}
