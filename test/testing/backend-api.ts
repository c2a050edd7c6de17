/** What the tests of the simulated Backend API share. */

import { onTestFinished } from 'vitest'
import type { Payload } from '../../src/clerk/payloads.ts'
import {
  type BackendApi,
  type BackendApiOptions,
  createSimulatedClerk,
  type SimulatedClerk,
  startBackendApi,
} from '../../src/testing/index.ts'

/** An instance in which everything has happened. */
export function busyClerk(seed = 5, actions = 1_500): SimulatedClerk {
  const clerk = createSimulatedClerk({ seed })
  for (let i = 0; i < actions; i++) clerk.act()
  return clerk
}

export async function serve(clerk: SimulatedClerk, options: BackendApiOptions = {}): Promise<BackendApi> {
  const api = await startBackendApi(clerk, { rateLimit: null, ...options })
  onTestFinished(() => api.close())
  return api
}

export function get(api: BackendApi, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}/v1${path}`, {
    headers: { authorization: `Bearer ${api.secretKey}`, 'clerk-api-version': '2026-05-12', ...headers },
  })
}

export async function getJson<Body = Payload>(api: BackendApi, path: string): Promise<Body> {
  const response = await get(api, path)
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Body
}

export interface ErrorBody {
  readonly errors: readonly { code: string; message: string; long_message: string; meta: Payload }[]
  readonly clerk_trace_id: string
}

/** The status and the code of what is no success. */
export async function refusal(answer: Response | Promise<Response>): Promise<[number, string | undefined]> {
  const response = await answer
  const { errors } = (await response.json()) as ErrorBody
  return [response.status, errors[0]?.code]
}

export function idsOf(list: readonly Payload[]): string[] {
  return list.map(({ id }) => String(id))
}
