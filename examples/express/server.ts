/** An Express app with Clerk's users in its own database. */

import { createClerkSync } from 'clerk-sync'
import { createDashboardHandler, toNodeListener } from 'clerk-sync/dashboard'
import { createExpressHandler } from 'clerk-sync/express'
import express from 'express'

const sync = createClerkSync()
await sync.migrate()

const app = express()
// Above express.json(): the signature covers the exact bytes.
app.post('/api/webhooks/clerk', createExpressHandler(sync))
// For this machine only; in production it wants a token or your own sign-in.
app.use('/dashboard', toNodeListener(createDashboardHandler(sync)))
app.use(express.json())

app.get('/users', async (_, response) => {
  const users = await sync.database
    .selectFrom('users_live')
    .select(['id', 'first_name', 'primary_email_address'])
    .execute()
  response.json(users)
})

const server = app.listen(Number(process.env.PORT), () =>
  console.log(`http://localhost:${process.env.PORT}/users`),
)
process.once('SIGTERM', () => server.close(() => sync.close()))
