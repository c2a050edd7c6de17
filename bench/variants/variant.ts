/** What is measured: a server that takes signed webhooks, and how to tell that it did its work. */

import type { Server } from 'node:http'
import type pg from 'pg'
import type { VerifierOptions } from '../../src/index.ts'
import type { Acknowledged, WorkloadName } from '../load/generator.ts'
import { SECRET } from '../load/requests.ts'

/** Where a variant keeps its tables. */
export interface Place {
  readonly database: string
  readonly schema: string
  /** The folder of another checkout that is built. */
  readonly baseline?: string | undefined
}

export interface Variant {
  readonly title: string
  readonly workloads: readonly WorkloadName[]
  /** The schema, for what works in no other. */
  readonly schema?: string
  /** Prepares the tables and returns the server, not yet listening. */
  serve(place: Place): Promise<Server>
  /** How many transactions of deliveries it has committed in this process; absent where each is one. */
  commits?(): number
  /** What is wrong with the tables, given everything that was acknowledged since they were empty. */
  check(client: pg.Client, schema: string, acknowledged: Acknowledged): Promise<string[]>
}

/** The machine may be so slow that the last prepared requests are sent minutes after the first were signed. */
export const VERIFICATION: VerifierOptions = { signingSecret: SECRET, toleranceSeconds: 900 }

/** One finding, if the number is not what it should be. */
export function expectCount(what: string, count: number, expected: number): string[] {
  return count === expected ? [] : [`${what}: ${count} instead of ${expected}`]
}
