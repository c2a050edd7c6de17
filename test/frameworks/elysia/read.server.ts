import { sharedClerkSync } from 'clerk-sync'
import app from './server.ts'

export default {
  ...app,
  async fetch(request: Request) {
    if (!request.url.endsWith('/read')) return app.fetch(request)
    await request.text()
    return sharedClerkSync().fetch(request)
  },
}
