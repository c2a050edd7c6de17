/** What must come of a vector: the answer, and what is stored. For every way a request can take to a sync. */

import { expect } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import type { TestDatabase } from '../support/databases.ts'
import { bodyOf, PARK_REASONS, REFUSALS, type Sent, type Vector, vectors } from './vectors.ts'

/** One sync per set of secrets: the vectors share a database, and each sets its own clock. */
export class Receivers {
  readonly #database: TestDatabase
  readonly #bySecrets = new Map<string, Promise<ClerkSync>>()
  #now = 0

  constructor(database: TestDatabase) {
    this.#database = database
  }

  at(now: number, secrets: readonly string[]): Promise<ClerkSync> {
    this.#now = now
    const key = JSON.stringify(secrets)
    const open = () =>
      this.#database.open({ signingSecret: secrets, now: () => Math.round(this.#now * 1000) })
    const sync = this.#bySecrets.get(key) ?? open()
    this.#bySecrets.set(key, sync)
    return sync
  }
}

/** What the sender sees, whichever way the request takes. */
export interface Answer {
  readonly status: number
  readonly body: string
}

export const stored = (sync: ClerkSync) => sync.database.selectFrom('events').selectAll().execute()
const bodies = (sync: ClerkSync) => sync.database.selectFrom('event_bodies').selectAll().execute()
export const users = (sync: ClerkSync) => sync.database.selectFrom('users').selectAll().execute()

export async function forget(sync: ClerkSync): Promise<void> {
  await sync.database.deleteFrom('events').execute()
  await sync.database.deleteFrom('event_bodies').execute()
  await sync.database.deleteFrom('users').execute()
}

export function verifiedId({ headers }: Sent): string | undefined {
  const named = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1]
  return named('svix-id') ?? named('webhook-id')
}

/** The whole of it: a code, and a reference that says nothing by itself. */
export function refusalBody(code: string | undefined): unknown {
  return expect.stringMatching(new RegExp(`^\\{"error":"${code}","ref":"rej_[0-9a-f]{12}"\\}$`))
}

/** What the vector says must be answered and stored. */
export async function expectVerdict(sync: ClerkSync, vector: Vector, answer: Answer): Promise<void> {
  const { code, http, disposition } = vector.expect
  const isAccepted = disposition !== 'drop'
  expect(answer).toMatchObject({
    status: http,
    body: isAccepted ? '{"ok":true}' : refusalBody(REFUSALS[code]),
  })
  const events = await stored(sync)
  expect(events).toHaveLength(isAccepted ? 1 : 0)
  if (!isAccepted) return
  expect(events[0]).toMatchObject({
    id: verifiedId(vector),
    outcome: disposition === 'park' ? 'parked' : 'applied',
    reason: PARK_REASONS[code] ?? null,
    redacted: false,
  })
  const [kept] = await bodies(sync)
  expect(Buffer.from(kept?.body as Uint8Array).equals(bodyOf(vector))).toBe(true)
  expect(await users(sync)).toHaveLength(disposition === 'park' ? 0 : 1)
  await forget(sync)
}

const VERBS = { process: 'applies', park: 'parks', drop: 'refuses', 'refuse-to-start': 'does not start' }

export function sentence({ id, title, expect: { code, disposition } }: Vector): string {
  const because = disposition === 'process' ? '' : ` (${REFUSALS[code] ?? PARK_REASONS[code]})`
  return `${VERBS[disposition]}${because}: ${title} [${id}]`
}

export const startable = vectors.filter((vector) => vector.expect.verify !== 'config_error')
