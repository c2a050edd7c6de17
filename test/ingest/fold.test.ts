import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Resource } from '../../src/clerk/resource.ts'
import { fold, type StoredRow, type Tombstone } from '../../src/ingest/fold.ts'
import type { Observation } from '../../src/ingest/observation.ts'
import { compareVersions } from '../../src/ingest/version.ts'

const users = RESOURCES.get('users') as Resource

/** Few times and few names, so that ties are common. */
const observation = fc
  .record({
    updatedAt: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 8 }),
    observedAt: fc.integer({ min: 1, max: 4 }),
    name: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('state', 'state', 'state', 'deletion', 'deletion with state'),
    eventId: fc.constantFrom('msg_1', 'msg_2', 'msg_3'),
  })
  .map(({ updatedAt, observedAt, name, kind, eventId }): Observation => {
    const data = { id: 'user_1', first_name: name, updated_at: updatedAt }
    return {
      resource: users,
      id: 'user_1',
      state:
        kind === 'deletion'
          ? null
          : {
              data,
              raw: Buffer.from(JSON.stringify(data)),
              updatedAt: updatedAt === null ? null : new Date(updatedAt),
            },
      isDeletion: kind !== 'state',
      observedAt: new Date(observedAt),
      eventId,
      instanceId: null,
    }
  })

const tombstone = fc
  .record({ deletedAt: fc.integer({ min: 1, max: 4 }), eventId: fc.constantFrom('msg_1', 'msg_2') })
  .map(({ deletedAt, eventId }): Tombstone => ({ deletedAt: new Date(deletedAt), eventId }))

/** Folds batch after batch, as the database would store it in between. */
function foldAll(
  batches: readonly (readonly Observation[])[],
  parent: Tombstone | null,
): StoredRow | undefined {
  return batches.reduce<StoredRow | undefined>((stored, batch) => {
    const { newest, tombstone } = fold(stored, batch, parent)
    const state = newest?.state
    const version = state
      ? { updatedAt: state.updatedAt, observedAt: newest.observedAt, raw: state.raw }
      : (stored?.version ?? null)
    return { version, tombstone, instanceId: null }
  }, undefined)
}

function inBatches(observations: readonly Observation[], size: number): Observation[][] {
  return observations.flatMap((_, at) => (at % size === 0 ? [observations.slice(at, at + size)] : []))
}

describe('folding observations into a row', () => {
  it('ends in the same row for every order, batch size and repetition', () => {
    fc.assert(
      fc.property(
        fc.array(observation, { minLength: 1, maxLength: 8 }).chain((observations) =>
          fc.record({
            observations: fc.constant(observations),
            shuffled: fc.shuffledSubarray(observations, { minLength: observations.length }),
            repeated: fc.subarray(observations),
            size: fc.integer({ min: 1, max: 4 }),
            otherSize: fc.integer({ min: 1, max: 4 }),
          }),
        ),
        fc.option(tombstone),
        ({ observations, shuffled, repeated, size, otherSize }, parent) => {
          const inOrder = foldAll(inBatches(observations, size), parent)
          const otherwise = foldAll(inBatches([...repeated, ...shuffled, ...repeated], otherSize), parent)
          expect(otherwise).toEqual(inOrder)
        },
      ),
      { numRuns: 5_000 },
    )
  })

  it('ends with the newest state and the earliest deletion', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 8 }), (observations) => {
        const row = foldAll([observations], null)
        const deletions = observations
          .filter((each) => each.isDeletion)
          .map((each) => each.observedAt.getTime())
        expect(row?.tombstone?.deletedAt.getTime()).toBe(
          deletions.length > 0 ? Math.min(...deletions) : undefined,
        )
        for (const { state, observedAt } of observations) {
          if (state === null || !row?.version) continue
          const order = compareVersions(
            { updatedAt: state.updatedAt, observedAt, raw: state.raw },
            row.version,
          )
          expect(order).toBeLessThanOrEqual(0)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it('gives every observation a verdict, and calls nothing applied that a row of an earlier batch contradicts', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 5 }), observation, (earlier, late) => {
        const stored = foldAll([earlier], null)
        const { verdicts, newest } = fold(stored, [late], null)
        expect(verdicts).toHaveLength(1)
        if (stored?.tombstone && !late.isDeletion) expect(verdicts[0]?.reason).toBe('resource_deleted')
        if (verdicts[0]?.outcome === 'stale' && verdicts[0].reason === 'older_than_row')
          expect(newest).toBeNull()
      }),
      { numRuns: 5_000 },
    )
  })
})
