import { serveVerified, type Variant } from './variant.ts'

/** Nothing that receives webhooks on this server can be faster. */
export const limit: Variant = {
  title: 'limit: verify and answer, no database',
  workloads: ['created', 'mixed'],
  serve: async () => serveVerified(async () => undefined),
  check: async () => [],
}
