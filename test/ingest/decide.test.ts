/** What a batch decides, without a database: from what it shows and what is stored to what is written. */

import { describe, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { type Delivery, readContent } from '../../src/clerk/event.ts'
import type { EventType } from '../../src/index.ts'
import { decideDeliveries, decideReplay } from '../../src/ingest/decide.ts'
import { type Entry, readEntry } from '../../src/ingest/entry.ts'
import type { StoredRow, Tombstone } from '../../src/ingest/fold.ts'
import type { HandlerPort } from '../../src/ingest/handler-port.ts'
import type { Stored } from '../../src/ingest/read.ts'
import { eventOf } from '../support/deliveries.ts'

const T = 1_800_000_000_000
const ADMISSION = { resources: new Set(RESOURCES.keys()), instanceIds: new Set<string>() }

const NO_HANDLERS: HandlerPort = { wants: () => false, runsFor: () => [], wake: () => undefined }
/** One handler, for users. */
const ONE_HANDLER: HandlerPort = {
  wants: (type) => type.startsWith('user.'),
  runsFor: ({ eventId, type, resourceId, occurredAt }) =>
    type.startsWith('user.') ? [{ eventId, handler: 'welcome', orderKey: resourceId, occurredAt }] : [],
  wake: () => undefined,
}

function entry(svixId: string, type: EventType, data: object, at = T) {
  const rawBody = Buffer.from(JSON.stringify(eventOf(type, data, at)))
  const delivery: Delivery = { svixId, attemptedAt: new Date(at), rawBody, ...readContent(rawBody) }
  return readEntry(delivery, ADMISSION)
}

interface Known {
  rows?: Record<string, StoredRow>
  tombstones?: Record<string, Tombstone>
  recorded?: Record<string, Uint8Array>
  dependants?: Record<string, number>
  sweptAt?: Date
  notified?: Stored['notified']
}

function stored({
  rows = {},
  tombstones = {},
  recorded = {},
  dependants = {},
  sweptAt,
  notified = [],
}: Known = {}): Stored {
  return {
    recorded: new Map(Object.entries(recorded)),
    row: (table, id) => rows[`${table} ${id}`],
    tombstone: (table, id) => tombstones[`${table} ${id}`],
    dependants: ({ table }, column, id) => dependants[`${table}.${column} ${id}`] ?? 0,
    sweptAt: () => sweptAt,
    notified,
    hasErased: false,
    isErased: () => false,
  }
}

const stateAt = (at: number, data: object = {}): StoredRow => ({
  version: {
    updatedAt: new Date(at),
    observedAt: new Date(at),
    raw: Buffer.from(JSON.stringify({ id: 'user_1', updated_at: at, ...data })),
  },
  tombstone: null,
  instanceId: null,
})

const deletedAt = (at: number): Tombstone => ({ deletedAt: new Date(at), eventId: 'msg_deletion' })

describe('a batch of deliveries', () => {
  const decide = (entries: ReturnType<typeof entry>[], known?: Known, handlers = NO_HANDLERS) =>
    decideDeliveries(entries, stored(known), handlers)

  it('inserts what is not there', () => {
    const { plan, receipts } = decide([entry('msg_1', 'user.created', { id: 'user_1' })])
    expect(
      plan.tables.map(({ resource, inserts, updates }) => [resource.table, inserts.length, updates.length]),
    ).toEqual([['users', 1, 0]])
    expect(plan.events).toHaveLength(1)
    expect(receipts).toMatchObject([{ svixId: 'msg_1', outcome: 'applied', resourceId: 'user_1' }])
  })

  it.each([
    ['updates an older row', T - 1_000, 1, 'applied'],
    ['keeps a newer row', T + 1_000, 0, 'stale'],
  ])('%s', (_, known, updates, outcome) => {
    const event = entry('msg_1', 'user.updated', { id: 'user_1', updated_at: T })
    const { plan, receipts } = decide([event], { rows: { 'users user_1': stateAt(known) } })
    expect(plan.tables[0]?.updates).toHaveLength(updates)
    expect(receipts[0]?.outcome).toBe(outcome)
  })

  it('keeps the newest of several states of one row, whatever their order', () => {
    const events = [3, 1, 2].map((at) =>
      entry(`msg_${at}`, 'user.updated', { id: 'user_1', updated_at: T + at }, T + at),
    )
    const [table] = decide(events).plan.tables
    expect(table?.inserts.map(({ observation }) => observation.eventId)).toEqual(['msg_3'])
  })

  it('counts what is recorded, and what comes twice in it, as duplicates', () => {
    const [first, again] = [1, 2].map(() => entry('msg_1', 'user.created', { id: 'user_1' })) as [
      Entry,
      Entry,
    ]
    const changed = entry('msg_2', 'user.created', { id: 'user_2' })
    const { plan, receipts } = decide([first, again, changed], {
      recorded: { msg_2: Buffer.from('another body') },
    })
    expect(receipts.map(({ outcome }) => outcome)).toEqual(['applied', 'duplicate', 'duplicate'])
    expect(plan.repetitions).toEqual([
      { id: 'msg_1', deliveries: 1, bodyConflict: false },
      { id: 'msg_2', deliveries: 1, bodyConflict: true },
    ])
  })

  it('deletes what arrives after its parent’s deletion', () => {
    const membership = entry('msg_1', 'organizationMembership.created', { id: 'orgmem_1' })
    const organization = membership.observations[0]?.state?.data.organization as { id: string }
    const tombstones = { [`organizations ${organization.id}`]: deletedAt(T) }
    const { plan } = decide([membership], { tombstones })
    expect(plan.tables[0]?.inserts[0]?.tombstone).toEqual(deletedAt(T))
  })

  it('takes few dependants along, and leaves many to a job', () => {
    const few = decide([entry('msg_1', 'user.deleted', { id: 'user_1' })], {
      dependants: { 'sessions.user_id user_1': 3 },
    })
    expect(few.plan.cascades.map(({ resource }) => resource.table)).toContain('sessions')
    expect(few.plan.pendingCascades).toEqual([])
    const many = decide([entry('msg_1', 'user.deleted', { id: 'user_1' })], {
      dependants: { 'sessions.user_id user_1': 1_001 },
    })
    expect(many.plan.pendingCascades.map(({ resource }) => resource.table)).toContain('sessions')
  })

  it('has rows verified that appear although a later sweep did not see them', () => {
    const event = entry('msg_1', 'user.created', { id: 'user_1' })
    const late = (sweptAt: Date) => decide([event], { sweptAt }).plan.pendingVerifications
    expect(late(new Date(T + 1))).toEqual([{ table: 'users', id: 'user_1' }])
    expect(late(new Date(T - 1))).toEqual([])
  })

  it('gives an event its runs once, and none if another event has stood for it', () => {
    const event = entry('msg_1', 'user.created', { id: 'user_1' })
    expect(decide([event], {}, ONE_HANDLER).plan.runs).toMatchObject([
      { eventId: 'msg_1', handler: 'welcome' },
    ])
    const notified = [
      {
        id: 'backfill_1',
        type: 'user.created',
        resource_id: 'user_1',
        occurred_at: new Date(T),
        source: 'backfill',
      },
    ]
    expect(decide([event], { notified }, ONE_HANDLER).plan.runs).toEqual([])
  })

  it('cannot go on with a row that somebody emptied by hand', () => {
    const emptied = {
      ...stateAt(T),
      version: { updatedAt: null, observedAt: new Date(T), raw: Buffer.alloc(0) },
    }
    const event = entry('msg_1', 'user.updated', { id: 'user_1' })
    expect(() => decide([event], { rows: { 'users user_1': emptied } })).toThrow('user_1 has lost its raw')
  })
})

describe('a replay', () => {
  it('keeps the outcome of what was applied, and gives parked events their runs', () => {
    const applied = { ...entry('msg_1', 'user.created', { id: 'user_1' }), recordedAs: 'applied' as const }
    const parked = { ...entry('msg_2', 'user.created', { id: 'user_2' }), recordedAs: 'parked' as const }
    const { plan } = decideReplay([applied, parked], stored(), ONE_HANDLER)
    expect(plan.outcomes.map(({ keepsOutcome }) => keepsOutcome)).toEqual([true, false])
    expect(plan.runs.map(({ eventId }) => eventId)).toEqual(['msg_2'])
  })
})
