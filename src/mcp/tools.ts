/** The tools that agents get: each is a route of the dashboard, which masks, validates and authorizes. */

import { CATALOGUE } from '../clerk/catalogue.ts'
import type { RouteName } from '../dashboard/api.ts'

/** Arguments of a tool call; the route validates their values. */
export type Arguments = Readonly<Record<string, unknown>>

interface JsonSchema {
  readonly type: string
  readonly description: string
  readonly enum?: readonly string[]
  readonly items?: { readonly type: string }
}

export interface Tool {
  readonly name: string
  readonly description: string
  readonly route: RouteName
  /** Parameters by name. Those that the route's path names are required. */
  readonly parameters: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

const text = (description: string): JsonSchema => ({ type: 'string', description })
const texts = (description: string): JsonSchema => ({ type: 'array', items: { type: 'string' }, description })
const number = (description: string): JsonSchema => ({ type: 'number', description })

const resource: JsonSchema = {
  type: 'string',
  description: 'Table of the resource',
  enum: Object.keys(CATALOGUE),
}
const id = text('Clerk id of the resource, such as user_2f9aK1')
const event = text('Event id (svix-id), such as msg_2Lh9KRb')
const handler = text('Handler name')
const fingerprint = text('Fingerprint of the failure group')
const paging = {
  limit: number('Page size, 1 to 100 (default 50)'),
  cursor: text('nextCursor of the previous page'),
}

/** Tools that change nothing. */
export const READING_TOOLS: readonly Tool[] = [
  {
    name: 'status',
    description: 'One-sentence health summary, lag, waiting handler runs, failures, running jobs',
    route: 'GET overview',
    parameters: {},
  },
  {
    name: 'doctor',
    description: 'Checks of configuration, database, clock, Clerk and traffic, each with its remedy',
    route: 'GET health',
    parameters: {},
  },
  {
    name: 'list_events',
    description: 'Received webhook events, newest first',
    route: 'GET events',
    parameters: {
      outcome: texts('applied, stale, ignored, parked or failed'),
      type: texts('Event types, such as user.created or user.*'),
      resource: texts('Tables, such as users'),
      resourceId: text('Clerk id that the events are about'),
      handler: text('Only events with a run of this handler'),
      run: text('State of that run; failing means retrying or dead'),
      since: text('Received at or after this ISO 8601 time'),
      until: text('Received before this ISO 8601 time'),
      ...paging,
    },
  },
  {
    name: 'get_event',
    description: 'One event: facts, changes, masked payload and handler runs with their errors',
    route: 'GET events/{id}',
    parameters: { id: event },
  },
  {
    name: 'list_failures',
    description: 'Failing handler runs in groups with the same cause',
    route: 'GET failures',
    parameters: {},
  },
  {
    name: 'list_failed_runs',
    description: 'Failing runs of one handler, newest first',
    route: 'GET failures/runs',
    parameters: { handler, fingerprint, state: text('retrying or dead'), ...paging },
    required: ['handler'],
  },
  {
    name: 'list_handlers',
    description: 'Handlers with their success and failure counts, and whether they are paused',
    route: 'GET handlers',
    parameters: {},
  },
  {
    name: 'list_rejected',
    description: 'Requests that the webhook route refused in the last 7 days, grouped by error code',
    route: 'GET rejected',
    parameters: {},
  },
  {
    name: 'search',
    description: 'Find rows by exact id, e-mail address, slug, username, phone number or external id',
    route: 'GET search',
    parameters: { q: text('Value to find') },
    required: ['q'],
  },
  {
    name: 'get_row',
    description: 'One row with personal data masked',
    route: 'GET resources/{resource}/{id}',
    parameters: { resource, id },
  },
  {
    name: 'get_row_history',
    description: 'Events about one row, newest first',
    route: 'GET resources/{resource}/{id}/history',
    parameters: { resource, id, ...paging },
  },
  {
    name: 'compare_with_clerk',
    description:
      'Differences between one row and what Clerk’s Backend API answers now (drift). Changes nothing',
    route: 'POST resources/{resource}/{id}/compare',
    parameters: { resource, id },
  },
  {
    name: 'list_jobs',
    description: 'Backfills, reconciles and bulk actions, newest first',
    route: 'GET jobs',
    parameters: paging,
  },
  {
    name: 'get_job',
    description: 'One job; a reconcile’s report lists the drift it found',
    route: 'GET jobs/{id}',
    parameters: { id: text('Job id') },
  },
]

/** Tools that change something; offered with `--allow-writes` only. */
export const WRITING_TOOLS: readonly Tool[] = [
  {
    name: 'replay_event',
    description: 'Apply a stored event again. Newer rows are kept',
    route: 'POST events/{id}/replay',
    parameters: { id: event },
  },
  {
    name: 'retry_run',
    description: 'Run a handler for an event again, now',
    route: 'POST events/{id}/runs/{handler}/retry',
    parameters: { id: event, handler, note: text('Reason, for the audit log') },
  },
  {
    name: 'pause_handler',
    description: 'Stop starting runs of a handler; they wait',
    route: 'POST handlers/{handler}/pause',
    parameters: { handler, reason: text('Reason, for the audit log') },
    required: ['reason'],
  },
  {
    name: 'resume_handler',
    description: 'Start runs of a paused handler again',
    route: 'POST handlers/{handler}/resume',
    parameters: { handler },
  },
  {
    name: 'refresh_row',
    description: 'Fetch one resource from Clerk and apply it under the same guard as events',
    route: 'POST resources/{resource}/{id}/apply',
    parameters: { resource, id },
  },
]

/** The tool as MCP describes it. */
export function describeTool({ name, description, route, parameters, required = [] }: Tool) {
  const inPath = namesIn(route)
  return {
    name,
    description,
    inputSchema: {
      type: 'object' as const,
      properties: parameters,
      required: [...inPath, ...required],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: READING_TOOLS.some((tool) => tool.name === name), openWorldHint: false },
  }
}

/** The request to the dashboard that a call of the tool stands for. */
export function toRequest({ route, parameters }: Tool, args: Arguments, base: string): Request {
  const [method = 'GET', path = ''] = route.split(' ')
  const url = new URL(base + path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(args[name]))))
  const inPath = namesIn(route)
  const rest = Object.entries(args).filter(([name]) => name in parameters && !inPath.includes(name))
  if (method !== 'GET') {
    const headers = { 'content-type': 'application/json', 'x-clerk-sync-csrf': '1' }
    return new Request(url, { method, headers, body: JSON.stringify(Object.fromEntries(rest)) })
  }
  for (const [name, value] of rest) {
    for (const each of [value].flat()) url.searchParams.append(name, String(each))
  }
  return new Request(url)
}

function namesIn(route: string): string[] {
  return [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
}
