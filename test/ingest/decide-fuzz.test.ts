/**
 * Whatever a batch holds and whatever is stored: deciding never throws, records every message once, keeps to the guard, and
 * has nothing left to write once its answer was written.
 */

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { type Delivery, readContent } from '../../src/clerk/event.ts'
import { EVENT_TYPES } from '../../src/index.ts'
import { decideDeliveries, decideReplay } from '../../src/ingest/decide.ts'
import { type Entry, readEntry } from '../../src/ingest/entry.ts'
import type { StoredRow, Tombstone } from '../../src/ingest/fold.ts'
import type { HandlerPort } from '../../src/ingest/handler-port.ts'
import type { Plan } from '../../src/ingest/plan.ts'
import type { Stored } from '../../src/ingest/read.ts'
import { compareVersions } from '../../src/ingest/version.ts'
import { eventOf } from '../support/deliveries.ts'

const FOLDER = new URL('../fixtures/hostile-bodies/', import.meta.url)
const CORPUS = readdirSync(FOLDER).map((name) => readFileSync(new URL(name, FOLDER)))
const ADMISSION = { resources: new Set(RESOURCES.keys()), instanceIds: new Set<string>() }
const T = 1_800_000_000_000
const RUNS = { numRuns: 500 }

const HANDLERS: HandlerPort = {
  wants: () => true,
  runsFor: ({ eventId, resourceId, occurredAt }) => [
    { eventId, handler: 'any', orderKey: resourceId, occurredAt },
  ],
  wake: () => undefined,
}

/** Few, so that events meet; some that a reader stumbles over. */
const id = fc.constantFrom('user_1', 'user_2', 'org_1', 'org_2', '\u0000', '\ud800', '__proto__', '')
const time = fc.oneof(
  fc.integer({ min: T, max: T + 5 }),
  fc.constantFrom<unknown>(null, undefined, 'soon', -1, 1e20, 1.5),
)
const anything = fc.oneof(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), id, time)

/** A payload of the type, with fields replaced by what does not belong there. */
const event = fc
  .record({
    type: fc.constantFrom(...EVENT_TYPES),
    id: fc.oneof({ weight: 9, arbitrary: id as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything }),
    updatedAt: time,
    at: fc.integer({ min: T, max: T + 5 }),
    parents: fc.dictionary(
      fc.constantFrom(
        'user_id',
        'organization_id',
        'organization',
        'public_user_data',
        'permissions',
        'user',
      ),
      fc.oneof(anything, fc.record({ id, user_id: id, updated_at: time })),
      { maxKeys: 3 },
    ),
  })
  .map(({ type, id, updatedAt, at, parents }) =>
    Buffer.from(JSON.stringify(eventOf(type, { ...parents, id, updated_at: updatedAt }, at))),
  )

const body = fc.oneof({ weight: 8, arbitrary: event }, { weight: 1, arbitrary: fc.constantFrom(...CORPUS) })
const delivery = fc.record({ svixId: fc.constantFrom('msg_1', 'msg_2', 'msg_3', 'msg_4', 'msg_5'), body })
const batch = fc.array(delivery, { minLength: 1, maxLength: 8 }).map((deliveries) =>
  deliveries.map(({ svixId, body: rawBody }) => {
    const read: Delivery = { svixId, attemptedAt: new Date(T), rawBody, ...readContent(rawBody) }
    return readEntry(read, ADMISSION)
  }),
)

/** The tables, as far as deciding asks for them. */
class Tables {
  readonly rows = new Map<string, StoredRow>()
  readonly recorded = new Map<string, Uint8Array>()

  get stored(): Stored {
    const row = (table: string, id: string) => this.rows.get(`${table} ${id}`)
    return {
      recorded: this.recorded,
      row,
      tombstone: (table, id) => row(table, id)?.tombstone ?? undefined,
      dependants: () => 0,
      sweptAt: () => undefined,
      notified: [],
      hasErased: false,
      isErased: () => false,
    }
  }

  write({ tables, events }: Plan): void {
    for (const { resource, inserts, updates, tombstoned, neverSeen } of tables) {
      for (const { id, observation, tombstone, instanceId } of [...inserts, ...updates]) {
        const { state, observedAt } = observation
        if (state === null) throw new Error('a row is written without a state')
        const version = { updatedAt: state.updatedAt, observedAt, raw: state.raw }
        this.rows.set(`${resource.table} ${id}`, { version, tombstone, instanceId })
      }
      for (const { id, tombstone, instanceId } of [...tombstoned, ...neverSeen]) {
        const version = this.stored.row(resource.table, id)?.version ?? null
        this.rows.set(`${resource.table} ${id}`, { version, tombstone, instanceId })
      }
    }
    for (const { entry } of events) this.recorded.set(entry.svixId, entry.body.sha256)
  }
}

function expectRecordedOnce(entries: readonly Entry[], { events, repetitions }: Plan): void {
  const ids = events.map(({ entry }) => entry.svixId)
  expect(new Set(ids).size).toBe(ids.length)
  const deliveries = repetitions.reduce((sum, each) => sum + each.deliveries, 0)
  expect(ids.length + deliveries).toBe(entries.length)
}

/** Strictly newer wins, each row is written once, and no event lifts a tombstone. */
function expectGuard({ tables }: Plan, { row }: Stored): void {
  for (const { resource, inserts, updates, tombstoned, neverSeen } of tables) {
    const all = [...inserts, ...updates, ...tombstoned, ...neverSeen]
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    const before = (id: string) => row(resource.table, id)
    for (const { id } of [...inserts, ...neverSeen]) expect(before(id)).toBeUndefined()
    for (const { id } of tombstoned) expect(before(id)).toBeDefined()
    for (const { id, tombstone } of all) expectKept(before(id)?.tombstone ?? null, tombstone)
    for (const { id, observation } of updates) {
      const { state, observedAt } = observation
      const [known, next] = [
        before(id)?.version,
        state && { updatedAt: state.updatedAt, observedAt, raw: state.raw },
      ]
      if (known && next) expect(compareVersions(next, known)).toBeGreaterThan(0)
    }
  }
}

function expectKept(before: Tombstone | null, after: Tombstone | null): void {
  if (before === null) return
  expect(after?.deletedAt.getTime()).toBeLessThanOrEqual(before.deletedAt.getTime())
}

describe('any batches, one after the other', () => {
  it('are decided without an exception, within the guard, and each message once', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 4 }), (batches) => {
        const tables = new Tables()
        for (const entries of batches) {
          const { plan, receipts } = decideDeliveries(entries, tables.stored, HANDLERS)
          expect(receipts.map(({ svixId }) => svixId)).toEqual(entries.map(({ svixId }) => svixId))
          expectRecordedOnce(entries, plan)
          expectGuard(plan, tables.stored)
          tables.write(plan)
        }
      }),
      RUNS,
    )
  })

  it('leave nothing to write when they are replayed', () => {
    fc.assert(
      fc.property(batch, (entries) => {
        const tables = new Tables()
        const { plan } = decideDeliveries(entries, tables.stored, HANDLERS)
        tables.write(plan)
        const first = plan.events.map(({ entry, verdict }) => ({ ...entry, recordedAs: verdict.outcome }))
        const again = decideReplay(first, tables.stored, HANDLERS).plan
        const left = again.tables.flatMap((each) => [
          ...each.inserts,
          ...each.updates,
          ...each.tombstoned,
          ...each.neverSeen,
        ])
        expect(left).toEqual([])
      }),
      RUNS,
    )
  })
})
