import { createServer } from 'node:http'
import { createNodeHandler } from '../../src/adapters/node.ts'
import { createClerkSync } from '../../src/index.ts'
import { checkLedger } from './ledger-check.ts'
import { type Variant, VERIFICATION } from './variant.ts'

let commits = 0

/** clerk-sync, with the defaults that everybody gets. */
export const ours: Variant = {
  title: 'clerk-sync',
  workloads: ['created', 'mixed'],
  check: checkLedger,
  commits: () => commits,
  async serve({ database, schema }) {
    const sync = createClerkSync({ ...VERIFICATION, database, schema })
    await sync.migrate()
    sync.observe(({ kind }) => {
      if (kind === 'commit') commits++
    })
    return createServer(createNodeHandler(sync))
  },
}
