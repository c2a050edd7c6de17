import { createServer } from 'node:http'
import { createNodeHandler } from '../../src/adapters/node.ts'
import { type ClerkSync, createVerifier } from '../../src/index.ts'
import { type Variant, VERIFICATION } from './variant.ts'

/** Nothing that receives webhooks on this server can be faster. */
export const limit: Variant = {
  title: 'limit: verify and answer, no database',
  workloads: ['created', 'mixed'],
  check: async () => [],
  async serve() {
    const verify = createVerifier(VERIFICATION)
    const handle: ClerkSync['handle'] = async ({ headers, body }) => {
      await verify(body ?? '', headers)
      return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }
    }
    return createServer(createNodeHandler({ handle } as ClerkSync))
  },
}
