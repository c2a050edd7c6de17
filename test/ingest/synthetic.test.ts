/** The events that stand for what no webhook told are made in two places: of a batch in memory, and of many rows by SQL. */

import { expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Resource } from '../../src/clerk/resource.ts'
import type { Observation } from '../../src/ingest/observation.ts'
import type { Stored } from '../../src/ingest/read.ts'
import { createSyntheticEvents } from '../../src/ingest/synthetic.ts'
import { syntheticEvent } from '../../src/ingest/synthetic-event.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

const users = RESOURCES.get('users') as Resource
const HANDLERS = { wants: () => true, runsFor: () => [], wake: () => undefined }

/** Numbers, escapes and members out of order, as Clerk may send them. */
const bodyOf = (id: string, updatedAt: number | null, instance: string | null) =>
  `{"type":"user.created","data":{"updated_at":${updatedAt},"id":"${id}", "first_name":"\\u00c5 \\"quoted\\" 🎉","public_metadata":{"n":9007199254740993}},
    "timestamp":1800000000123${instance === null ? '' : `,"instance_id":${JSON.stringify(instance)}`}}`

describeEachDatabase('an event that stands for a row', (database) => {
  it.each([
    ['with its own clock', 1_800_000_000_001, 'ins_1'],
    ['without an instance', 1_800_000_000_002, null],
    ['without a clock of its own', null, 'ins_1'],
    ['of an instance with an odd name', 1_800_000_000_003, 'ins_"ä🎉'],
  ])('is the same however it is made: %s', async (_, updatedAt, instance) => {
    const sync = await database.open()
    const id = `user_${updatedAt}_${instance?.length}`
    await deliver(sync, bodyOf(id, updatedAt, instance))
    for (const type of ['user.created', 'user.deleted']) {
      if (type === 'user.deleted')
        await deliver(sync, {
          type,
          data: { id, deleted: true },
          timestamp: 1_800_000_000_500,
          instance_id: instance,
        })
      const row = await sync.database
        .selectFrom('users')
        .select(['deleted_at', 'clerk_updated_at', 'observed_at', 'instance_id', 'event_id'])
        .select((select) => select.cast<string>('raw', 'text').as('raw'))
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      const stored = {
        notified: [],
        row: () => ({
          version: {
            updatedAt: row.clerk_updated_at,
            observedAt: row.observed_at,
            raw: Buffer.from(row.raw),
          },
          tombstone: row.deleted_at && { deletedAt: row.deleted_at, eventId: row.event_id },
          instanceId: row.instance_id,
        }),
      } as unknown as Stored
      const observation = { resource: users, id, state: null } as Observation
      const notification = { source: 'reconcile' as const, typeOf: () => type }
      const inMemory = syntheticEvent(observation, stored, [], notification, HANDLERS)?.entry
      await sync.database.transaction().execute((trx) =>
        createSyntheticEvents(trx, sync.location.schema, {
          resource: 'users',
          ids: [id],
          type,
          source: 'reconcile',
        }),
      )
      const bySql = await sync.database
        .selectFrom('events')
        .innerJoin('event_bodies', 'event_id', 'id')
        .select([
          'id',
          'type',
          'resource',
          'resource_id',
          'instance_id',
          'occurred_at',
          'body',
          'body_sha256',
        ])
        .where('id', 'like', `reconcile\\_${id.replaceAll('_', '\\_')}\\_${type}\\_%`)
        .executeTakeFirstOrThrow()
      expect(String(inMemory?.body.bytes)).toBe(Buffer.from(bySql.body as Uint8Array).toString())
      expect({
        id: inMemory?.svixId,
        type: inMemory?.type,
        resource: inMemory?.resource,
        resource_id: inMemory?.resourceId,
        instance_id: inMemory?.instanceId,
        occurred_at: inMemory?.occurredAt,
        body_sha256: inMemory?.body.sha256.toString('hex'),
      }).toEqual({
        ...bySql,
        body: undefined,
        body_sha256: Buffer.from(bySql.body_sha256).toString('hex'),
      })
    }
  })
})
