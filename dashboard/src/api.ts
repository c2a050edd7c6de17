/** Calls the server. Every route is typed by the server's table of routes. */

import type {
  AnswerOf,
  BodyOf,
  Problem,
  QueryOf,
  RouteName,
  Routes,
  SignInProblem,
} from '../../src/dashboard/api.ts'

export type * from '../../src/dashboard/api.ts'

type SegmentsOf<Path extends string> = Path extends `${string}{${infer Segment}}${infer Rest}`
  ? Segment | SegmentsOf<Rest>
  : never

/** What a call of a route needs: the path's segments, the query and the body, as far as the route has them. */
export type Input<Name extends RouteName> = ([SegmentsOf<Name>] extends [never]
  ? unknown
  : { readonly path: Readonly<Record<SegmentsOf<Name>, string>> }) &
  (QueryOf<Name> extends undefined ? unknown : { readonly query?: Partial<QueryOf<Name>> }) &
  (BodyOf<Name> extends undefined ? unknown : { readonly body: BodyOf<Name> })

/** Routes that only read. */
export type Readable = Extract<RouteName, `GET ${string}`> &
  Exclude<keyof Routes, 'GET live' | 'GET events/export'>

interface AnyInput {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

/** The problem that the server reported, or that it did not answer. */
export class Refusal extends Error {
  readonly status: number
  readonly problem: Problem | SignInProblem

  constructor(status: number, problem: Problem | SignInProblem) {
    super(problem.message)
    this.status = status
    this.problem = problem
  }
}

/** The address of a route, relative to the dashboard's base. */
export function addressOf<Name extends RouteName>(name: Name, input: Input<Name>): string {
  const { path = {}, query = {} } = input as AnyInput
  const route = name.slice(name.indexOf(' ') + 1)
  const address = route.replace(/\{(\w+)\}/g, (_, segment: string) => encodeURIComponent(path[segment] ?? ''))
  const search = searchOf(query)
  return `api/${address}${search && `?${search}`}`
}

function searchOf(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  return search.toString()
}

/**
 * Calls a route.
 * @throws {Refusal} with the server's problem, or because the server is unreachable
 */
export async function call<Name extends RouteName>(name: Name, input: Input<Name>): Promise<AnswerOf<Name>> {
  const method = name.slice(0, name.indexOf(' '))
  const body = method === 'GET' ? undefined : JSON.stringify((input as AnyInput).body ?? {})
  const response = await request(addressOf(name, input), method, body)
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok && answer !== undefined) return answer as AnswerOf<Name>
  throw new Refusal(response.status, isProblem(answer) ? answer : unreadable(response.status))
}

async function request(address: string, method: string, body: string | undefined): Promise<Response> {
  const headers = method === 'GET' ? {} : { 'content-type': 'application/json', 'x-clerk-sync-csrf': '1' }
  try {
    return await fetch(new URL(address, document.baseURI), {
      method,
      headers,
      body: body ?? null,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch {
    throw new Refusal(0, {
      code: 'unreachable',
      message: 'The server does not answer.',
      remedy: 'It may be restarting. This page tries again by itself.',
    })
  }
}

/** Longer than all time limits of the server, so that the server can report what was too slow. */
const TIMEOUT_MS = 30_000

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer
}

function unreadable(status: number): Problem {
  return {
    code: 'unreadable',
    message: `The server answered ${status} and nothing that this page understands.`,
    remedy: 'Reload the page. If something stands between it and the server, look there.',
  }
}

/** The problem behind any thrown value. */
export function problemOf(error: unknown): Problem | SignInProblem {
  if (error instanceof Refusal) return error.problem
  return { code: 'bug', message: String(error), remedy: 'Reload the page.' }
}
