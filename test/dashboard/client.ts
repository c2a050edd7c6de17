/** Asks the dashboard's interface as the browser app does. */

import type { AnswerOf, Problem, RouteName } from '../../src/dashboard/api.ts'
import type { DashboardHandler } from '../../src/dashboard/index.ts'

export interface AskOptions {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly remoteAddress?: string | null
}

export const ORIGIN = 'http://localhost:4848'

export function requestFor(
  name: RouteName,
  { path = {}, query = {}, body, headers }: AskOptions = {},
): Request {
  const [method = '', route = ''] = name.split(' ')
  const filled = route.replace(/\{(\w+)\}/g, (_, segment: string) => encodeURIComponent(path[segment] ?? ''))
  const url = new URL(`/dashboard/api/${filled}`, ORIGIN)
  for (const [key, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(key, String(each))
  }
  const own = {
    'x-clerk-sync-csrf': '1',
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/json',
  }
  return new Request(url, {
    method,
    headers: { ...(method === 'GET' ? {} : own), ...headers },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
  })
}

/** The answer, which must be one. */
export async function ask<Name extends RouteName>(
  handler: DashboardHandler,
  name: Name,
  options: AskOptions = {},
): Promise<AnswerOf<Name>> {
  const response = await handler(requestFor(name, options), connectionOf(options))
  const answer = await response.json()
  if (response.status !== 200) throw new Error(`${name}: ${response.status} ${JSON.stringify(answer)}`)
  return answer as AnswerOf<Name>
}

/** What is wrong, with the status. */
export async function refusal(
  handler: DashboardHandler,
  name: RouteName,
  options: AskOptions = {},
): Promise<[status: number, code: string]> {
  const response = await handler(requestFor(name, options), connectionOf(options))
  const { code } = (await response.json()) as Problem
  return [response.status, code]
}

/** What a server tells that was asked from this machine. */
export const LOCAL = { remoteAddress: '127.0.0.1' } as const

/** This machine's, unless the test says otherwise; null for a server that does not tell. */
function connectionOf({ remoteAddress = LOCAL.remoteAddress }: AskOptions) {
  return remoteAddress === null ? {} : { remoteAddress }
}
