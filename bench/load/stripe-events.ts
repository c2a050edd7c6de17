/** Stripe's events, as large as Clerk's, for the engine that syncs those. */

import { newUsers, type Unsigned } from './events.ts'
import { newId } from './ids.ts'

/**
 * Nothing but `customer.updated` of unseen customers. `created` rises, or the engine would take them for stale and skip
 * its work.
 */
export function* newCustomers(): Generator<Unsigned, never> {
  const size = newUsers().next().value.body.length
  const startedAt = Math.floor(Date.now() / 1000)
  for (let serial = 0; ; serial++) {
    const id = newId('cus')
    const event = (padding: string) => customerUpdated(id, startedAt + serial, padding)
    yield { subject: id, body: event('x'.repeat(size - event('').length)) }
  }
}

function customerUpdated(id: string, created: number, padding: string): string {
  return JSON.stringify({
    id: newId('evt'),
    object: 'event',
    api_version: '2025-06-30.basil',
    created,
    type: 'customer.updated',
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: {
      object: {
        id,
        object: 'customer',
        address: {
          city: 'London',
          country: 'GB',
          line1: '1 Example Street',
          postal_code: 'N1 1AA',
          state: null,
        },
        balance: 0,
        created,
        currency: 'gbp',
        default_source: null,
        delinquent: false,
        description: 'Ada Example',
        discount: null,
        email: 'ada@example.com',
        invoice_prefix: 'ABCDEF01',
        invoice_settings: { custom_fields: null, default_payment_method: null, footer: null },
        livemode: false,
        metadata: { plan: 'pro', padding },
        name: 'Ada Example',
        next_invoice_sequence: 1,
        phone: '+15555550100',
        preferred_locales: ['en-GB'],
        shipping: null,
        tax_exempt: 'none',
        test_clock: null,
      },
      previous_attributes: { description: null },
    },
  })
}
