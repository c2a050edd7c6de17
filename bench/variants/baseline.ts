import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkRecorded } from './ledger-check.ts'
import { type Variant, VERIFICATION } from './variant.ts'

/** The same package as another checkout has it, built. Its tables may differ, so only its events are checked. */
export const baseline: Variant = {
  title: 'baseline: clerk-sync of another checkout',
  workloads: ['created', 'mixed'],
  check: checkRecorded,
  async serve({ database, schema, baseline: folder }) {
    const { createClerkSync } = await load<typeof import('../../src/index.ts')>(folder, 'index.js')
    const { createNodeHandler } = await load<typeof import('../../src/adapters/node.ts')>(
      folder,
      'adapters/node.js',
    )
    const sync = createClerkSync({ ...VERIFICATION, database, schema })
    await sync.migrate()
    return createServer(createNodeHandler(sync))
  },
}

function load<Module>(folder: string | undefined, path: string): Promise<Module> {
  if (folder === undefined) throw new Error('the baseline needs --baseline <folder of a built checkout>')
  return import(pathToFileURL(resolve(folder, 'dist', path)).href)
}
