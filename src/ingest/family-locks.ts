/** Which locks a batch needs so that deletions reach everything that belongs to what they delete. */

import { RESOURCES } from '../clerk/catalogue.ts'
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

/** Shared for what the written belongs to or is about, exclusive for parents that are deleted. See `lockFamilies`. */
export function familyLocks(observations: readonly Observation[]): FamilyLocks {
  const exclusive = new Map<number, boolean>()
  for (const observation of observations) {
    if (observation.isDeletion && PARENT_TABLES.has(observation.resource.table)) {
      exclusive.set(bucketOf(observation.id), true)
    }
    for (const parent of linksOf(observation)) {
      const bucket = bucketOf(parent.id)
      exclusive.set(bucket, exclusive.get(bucket) ?? false)
    }
  }
  return { buckets: [...exclusive.keys()], exclusive: [...exclusive.values()] }
}

/** Which lock a parent's family has. */
export function bucketOf(id: string): number {
  let hash = 0
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) | 0
  return (hash >>> 0) % BUCKETS
}
