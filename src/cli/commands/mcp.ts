/** `clerk-sync mcp`: what the dashboard shows, for agents that speak the Model Context Protocol. */

import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { Command } from 'commander'
import { loadConfiguration } from '../../configuration/configuration.ts'
import { openDashboard } from '../../doctor/dashboard.ts'
import { loadSdk, serveTools } from '../../mcp/server.ts'
import { listenForInterruption } from '../interruption.ts'
import { withDatabase } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'

interface McpOptions extends DatabaseOptions {
  readonly allowWrites?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['claude mcp add clerk-sync -- npx clerk-sync mcp', 'add it to an agent (stdio transport)'],
    ['clerk-sync mcp --allow-writes', 'also replay events, retry runs, pause handlers'],
  ])
  withDatabaseOptions(command)
    .option('--allow-writes', 'offer tools that change data')
    .action((_, self: Command) => serve(self.optsWithGlobals()))
}

async function serve(options: McpOptions): Promise<void> {
  // First: nobody should wait for a database to hear that a package is missing.
  const sdk = await loadSdk()
  const allowsWrites = options.allowWrites === true
  const configuration = await loadConfiguration(options)
  await withDatabase(options, async (sync) => {
    const ask = openDashboard({
      sync,
      options,
      configuration,
      environment: 'production',
      authorize: () => ({ name: 'mcp', role: allowsWrites ? 'admin' : 'viewer' }),
      readOnly: !allowsWrites,
    })
    await closed(await serveTools(sdk, { ask, allowsWrites }))
  })
}

/** Until the client goes away or a signal comes. */
async function closed(server: Server): Promise<void> {
  using interruption = listenForInterruption()
  const isGone = new Promise<void>((resolve) => {
    process.stdin.once('close', resolve)
    process.stdin.once('end', resolve)
    server.onclose = resolve
  })
  await Promise.race([isGone, interruption.happened])
  await server.close()
}
