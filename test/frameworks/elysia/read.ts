import { sharedClerkSync } from 'clerk-sync'
import { app } from './src/index.ts'

app.post(
  '/read',
  async ({ request }) => {
    await request.text()
    return sharedClerkSync().fetch(request)
  },
  { parse: 'none' },
)
