/** `clerk-sync mcp`: what the dashboard shows, for agents that speak the Model Context Protocol. */

import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Command } from 'commander'
import { peerMissing } from '../../peer.ts'
import { readVersion } from '../../version.ts'
import { loadConfiguration } from '../configuration.ts'
import { openDashboard } from '../dashboard.ts'
import { listenForInterruption } from '../interruption.ts'
import {
  type Arguments,
  describeTool,
  READING_TOOLS,
  type Tool,
  toRequest,
  WRITING_TOOLS,
} from '../mcp/tools.ts'
import { requireDatabase, withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { Output, type OutputOptions } from '../output.ts'

interface McpOptions extends OutputOptions, DatabaseOptions {
  readonly allowWrites?: boolean
}

type Ask = (request: Request) => Promise<Response>

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
  // Standard output belongs to the protocol.
  const output = new Output(options)
  const sdk = await loadSdk()
  const configuration = await loadConfiguration(options)
  await withSync(options, output, async (sync) => {
    requireDatabase(sync)
    const ask = openDashboard({
      sync,
      options,
      configuration,
      environment: 'production',
      authorize: () => ({ name: 'mcp', role: options.allowWrites ? 'admin' : 'viewer' }),
      readOnly: !options.allowWrites,
    })
    const tools = options.allowWrites ? [...READING_TOOLS, ...WRITING_TOOLS] : READING_TOOLS
    const server = createServer(sdk, tools, ask)
    await server.connect(new sdk.StdioServerTransport())
    await closed(server)
  })
}

function createServer(sdk: Sdk, tools: readonly Tool[], ask: Ask): Server {
  const server = new sdk.Server(
    { name: 'clerk-sync', version: readVersion() },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  )
  server.setRequestHandler(sdk.ListToolsRequestSchema, () => ({ tools: tools.map(describeTool) }))
  server.setRequestHandler(sdk.CallToolRequestSchema, ({ params }) => {
    const tool = tools.find(({ name }) => name === params.name)
    return tool === undefined
      ? failure(`There is no tool "${params.name}". Tools: ${tools.map(({ name }) => name).join(', ')}`)
      : call(tool, params.arguments ?? {}, ask)
  })
  return server
}

const INSTRUCTIONS =
  'clerk-sync keeps Postgres tables in step with Clerk. Start with status; doctor names causes and remedies. Personal data is masked.'

async function call(tool: Tool, args: Arguments, ask: Ask): Promise<CallToolResult> {
  const { required } = describeTool(tool).inputSchema
  const missing = required.filter((name) => args[name] === undefined)
  if (missing.length > 0) return failure(`${tool.name} needs ${missing.join(', ')}`)
  const unknown = Object.keys(args).filter((name) => !(name in tool.parameters))
  if (unknown.length > 0) return failure(`${tool.name} has no parameter ${unknown.join(', ')}`)
  const response = await ask(toRequest(tool, args, 'http://localhost/dashboard/api/'))
  const text = await response.text()
  return response.ok ? { content: [{ type: 'text', text }] } : failure(text)
}

function failure(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

/** Until the client goes away or a signal comes. */
async function closed(server: Server): Promise<void> {
  const interruption = listenForInterruption()
  const isGone = new Promise<void>((resolve) => {
    process.stdin.once('close', resolve)
    process.stdin.once('end', resolve)
    server.onclose = resolve
  })
  await Promise.race([isGone, interruption.happened])
  interruption.dispose()
  await server.close()
}

type Sdk = Awaited<ReturnType<typeof loadSdk>>

async function loadSdk() {
  try {
    const [server, stdio, types] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/index.js'),
      import('@modelcontextprotocol/sdk/server/stdio.js'),
      import('@modelcontextprotocol/sdk/types.js'),
    ])
    return { ...server, ...stdio, ...types }
  } catch (error) {
    throw peerMissing('clerk-sync mcp', '@modelcontextprotocol/sdk', error)
  }
}
