import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { openDatabase } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import type { FollowUp } from '../../src/ledger/follow-up.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { checkLedger } from './ledger-check.ts'
import { serveVerified, type Variant } from './variant.ts'

/** As many transactions at a time as the hand-written handler has connections. */
const TRANSACTIONS = 10

const NOTHING_FOLLOWS: FollowUp = {
  wants: () => false,
  recorded: async () => undefined,
  committed: () => undefined,
}

/** clerk-sync without group commit: what batching is worth. A ledger does one transaction at a time, hence ten. */
export const single: Variant = {
  title: 'clerk-sync, one transaction per event',
  workloads: ['created'],
  check: checkLedger,
  async serve({ database: address, schema }) {
    const database = openDatabase(address, schema)
    await migrate(database.queries, schema)
    const admission = { resources: new Set(RESOURCES.keys()), instanceIds: new Set<string>() }
    const limits = { maxItems: 1, maxBytes: 2 ** 26, deadlineMs: 10_000 }
    const lanes = Array.from({ length: TRANSACTIONS }, () => ({
      ledger: new Ledger(
        { ...database, ingest: database.queries },
        admission,
        NOTHING_FOLLOWS,
        limits,
        () => undefined,
      ),
      waiting: 0,
    }))
    return serveVerified(async (delivery) => {
      const lane = lanes.reduce((best, each) => (each.waiting < best.waiting ? each : best))
      lane.waiting++
      await lane.ledger.record(delivery)
      lane.waiting--
    })
  },
}
