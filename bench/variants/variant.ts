/** What is measured: a server that takes signed webhooks, and how to tell that it did its work. */

import { createServer, type Server } from 'node:http'
import type pg from 'pg'
import { createNodeHandler } from '../../src/adapters/node.ts'
import type { ClerkSync, Delivery, VerifierOptions } from '../../src/index.ts'
import { createVerifier } from '../../src/index.ts'
import type { Acknowledged, WorkloadName } from '../load/generator.ts'
import { SECRET } from '../load/requests.ts'

/** Where a variant keeps its tables. */
export interface Place {
  readonly database: string
  readonly schema: string
}

export interface Variant {
  readonly title: string
  readonly workloads: readonly WorkloadName[]
  /** The schema, for what works in no other. */
  readonly schema?: string
  /** Prepares the tables and returns the server, not yet listening. */
  serve(place: Place): Promise<Server>
  /** What is wrong with the tables, given everything that was acknowledged since they were empty. */
  check(client: pg.Client, schema: string, acknowledged: Acknowledged): Promise<string[]>
}

/** The machine may be so slow that the last prepared requests are sent minutes after the first were signed. */
export const VERIFICATION: VerifierOptions = { signingSecret: SECRET, toleranceSeconds: 900 }

/** The server of clerk-sync with something else behind the verification. */
export function serveVerified(take: (delivery: Delivery) => Promise<unknown>): Server {
  const verify = createVerifier(VERIFICATION)
  const handle: ClerkSync['handle'] = async ({ headers, body }) => {
    await take(await verify(body ?? '', headers))
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }
  }
  return createServer(createNodeHandler({ handle } as ClerkSync))
}

/** One finding, if the number is not what it should be. */
export function expectCount(what: string, count: number, expected: number): string[] {
  return count === expected ? [] : [`${what}: ${count} instead of ${expected}`]
}
