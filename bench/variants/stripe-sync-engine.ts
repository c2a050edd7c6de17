import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import pg from 'pg'
import { readValue } from '../database.ts'
import { SECRET } from '../load/requests.ts'
import { expectCount, type Variant } from './variant.ts'

/** The ES module of this version cannot find its migrations, and does not say so. */
const { runMigrations, StripeSync } = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof import('@supabase/stripe-sync-engine')

/** The nearest peer, on Stripe's events of the same size: verify, then one guarded upsert. It keeps no events. */
export const stripeSyncEngine: Variant = {
  title: '@supabase/stripe-sync-engine',
  workloads: ['stripe'],
  // Its migrations name the schema.
  schema: 'stripe',
  async serve({ database, schema }): Promise<Server> {
    await runMigrations({ databaseUrl: database, schema })
    const sync = new StripeSync({
      poolConfig: { connectionString: database, max: 10 },
      schema,
      stripeSecretKey: 'sk_test_unused',
      stripeWebhookSecret: SECRET,
      backfillRelatedEntities: false,
    })
    const app = Fastify()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    app.post('/webhooks', async (request, reply) => {
      await sync.processWebhook(request.body as Buffer, request.headers['stripe-signature'] as string)
      return reply.send({ received: true })
    })
    await app.ready()
    return app.server
  },
  async check(client, schema, { subjects }) {
    const customers = `select count(*)::int from ${pg.escapeIdentifier(schema)}.customers where id = any($1)`
    return expectCount('customers', await readValue(client, customers, [subjects]), subjects.length)
  },
}
