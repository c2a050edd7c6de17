/** A server for webhooks alone, with a handler that gives every new user a profile. */

import { createServer } from 'node:http'
import { createClerkSync } from 'clerk-sync'
import { createNodeHandler } from 'clerk-sync/node'

const sync = createClerkSync()
await sync.migrate()

/** A table of the app itself, beside Clerk's. */
interface AppTables {
  profiles: { user_id: string; greeting: string }
}
const database = sync.database.withTables<AppTables>().withSchema('public')
await database.schema
  .createTable('profiles')
  .ifNotExists()
  .addColumn('user_id', 'text', (column) => column.primaryKey())
  .addColumn('greeting', 'text', (column) => column.notNull())
  .execute()

sync.on(
  'user.created',
  async ({ event, tx }) => {
    const { id, first_name } = event.data
    // Committed together with the completion of this run: exactly once per event.
    await tx.query('insert into public.profiles (user_id, greeting) values ($1, $2)', [
      id,
      `Hello, ${first_name}`,
    ])
  },
  { name: 'create-profile' },
)
await sync.work()

const answerDelivery = createNodeHandler(sync)
const server = createServer(async (request, response) => {
  if (request.url?.split('?')[0] === '/api/webhooks/clerk') return answerDelivery(request, response)
  const profiles = await database
    .selectFrom('profiles')
    .selectAll()
    .execute()
    .catch(() => null)
  response
    .writeHead(profiles ? 200 : 503, { 'content-type': 'application/json' })
    .end(JSON.stringify(profiles))
})
server.listen(Number(process.env.PORT), () => console.log(`http://localhost:${process.env.PORT}/profiles`))
process.once('SIGTERM', () => server.close(() => sync.close()))
