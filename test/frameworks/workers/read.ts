import app from './src/worker.ts'

/** The Worker behind something that reads requests first, where the query says so. */
export default {
  async fetch(request: Request, env: never, context: never) {
    if (request.url.endsWith('?read')) await request.text()
    return app.fetch(request, env, context)
  },
}
