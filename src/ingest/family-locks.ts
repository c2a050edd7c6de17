/** Which locks a batch needs so that deletions reach everything that belongs to what they delete. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { ALL_SOFT, type DeletionPolicies } from '../clerk/deletion.ts'
import { linksOf, type Observation } from './observation.ts'

/** Few enough that many servers' locks fit into Postgres' lock table, many enough that strangers rarely meet. */
const BUCKETS = 128

const PARENT_TABLES = new Set(
  [...RESOURCES.values()].flatMap((resource) => Object.values(resource.parents ?? {})),
)

export interface FamilyLocks {
  readonly buckets: readonly number[]
  readonly exclusive: readonly boolean[]
}

/**
 * Shared for what the written belongs to or is about, exclusive for parents that are deleted. See `lockFamilies`. Where deletions
 * remove rows, each resource is a family of its own too: no row is left to lock, so that a late state could not see that the
 * deletion is under way.
 */
export function familyLocks(
  observations: readonly Observation[],
  deletion: DeletionPolicies = ALL_SOFT,
): FamilyLocks {
  const exclusive = new Map<number, boolean>()
  const lock = (id: string, isAlone: boolean) => {
    const bucket = bucketOf(id)
    exclusive.set(bucket, isAlone || (exclusive.get(bucket) ?? false))
  }
  for (const observation of observations) {
    const { id, isDeletion, resource } = observation
    const isRemoved = deletion.get(resource.table) === 'hard'
    if (isRemoved || (isDeletion && PARENT_TABLES.has(resource.table))) lock(id, isDeletion)
    for (const parent of linksOf(observation)) lock(parent.id, false)
  }
  return { buckets: [...exclusive.keys()], exclusive: [...exclusive.values()] }
}

/** Which lock a parent's family has. */
export function bucketOf(id: string): number {
  let hash = 0
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) | 0
  return (hash >>> 0) % BUCKETS
}
