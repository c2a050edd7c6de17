/** A server of the Model Context Protocol over what the dashboard answers. https://modelcontextprotocol.io */

import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { peerMissing } from '../peer.ts'
import { readVersion } from '../version.ts'
import { type Arguments, describeTool, READING_TOOLS, type Tool, toRequest, WRITING_TOOLS } from './tools.ts'

/** The dashboard's handler. */
type Ask = (request: Request) => Promise<Response>

interface ToolServerOptions {
  readonly ask: Ask
  /** Whether agents also get the tools that change something. */
  readonly allowsWrites: boolean
}

/** Serves the tools on stdin and stdout. */
export async function serveTools(sdk: Sdk, { ask, allowsWrites }: ToolServerOptions): Promise<Server> {
  const server = createServer(sdk, allowsWrites ? [...READING_TOOLS, ...WRITING_TOOLS] : READING_TOOLS, ask)
  await server.connect(new sdk.StdioServerTransport())
  return server
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

type Sdk = Awaited<ReturnType<typeof loadSdk>>

/** @throws {ClerkSyncError} `peer_missing` */
export async function loadSdk() {
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
