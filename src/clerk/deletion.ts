/** What a deletion in Clerk does to the row. */

import { closest } from '../closest.ts'
import { ClerkSyncError } from '../errors.ts'
import { RESOURCES, type ResourceName } from './catalogue.ts'
import type { Resource } from './resource.ts'

/**
 * - `soft`: the row stays as it was, with `deleted_at`.
 * - `anonymise`: the row stays with its ids, times, counts and statuses. Columns about people become null, the rows of its sets
 *   are removed, and `raw` becomes a hash.
 * - `hard`: the row is removed. `tombstones` keeps its id and the time.
 *
 * Under each, nothing that arrives later makes the resource appear again.
 */
export type DeletionPolicy = 'soft' | 'anonymise' | 'hard'

/** By resource; `default` is for those that are not named. */
export type DeletionOptions = { readonly [resource in ResourceName | 'default']?: DeletionPolicy | undefined }

/** The policies that are not `soft`, by table. */
export type DeletionPolicies = ReadonlyMap<string, 'anonymise' | 'hard'>

export const ALL_SOFT: DeletionPolicies = new Map()

const POLICIES: readonly string[] = ['soft', 'anonymise', 'hard'] satisfies DeletionPolicy[]

/**
 * Checks and completes the option.
 * @throws {ClerkSyncError} `option_invalid`, naming what is wrong
 */
export function resolveDeletion(options: DeletionOptions = {}): DeletionPolicies {
  for (const [name, policy] of Object.entries(options)) requireKnown(name, policy)
  const named = [...RESOURCES.keys()].map((table) => {
    return [table, options[table as ResourceName] ?? options.default ?? 'soft'] as const
  })
  return new Map(named.flatMap(([table, policy]) => (policy === 'soft' ? [] : [[table, policy] as const])))
}

function requireKnown(name: string, policy: unknown): void {
  const names = ['default', ...RESOURCES.keys()]
  if (!names.includes(name)) throw invalid(`deletion has ${name}`, name, names)
  if (policy === undefined || POLICIES.includes(policy as string)) return
  throw invalid(`deletion.${name} is ${String(policy)}`, String(policy), POLICIES)
}

function invalid(what: string, word: string, known: readonly string[]): ClerkSyncError {
  const nearest = closest(word, known)
  const hint = nearest ? `did you mean ${nearest}?` : `there are ${known.join(', ')}`
  return new ClerkSyncError('option_invalid', `${what}; ${hint}`)
}

/** The columns that `anonymise` empties. */
export function personalColumns({ columns }: Resource): string[] {
  return Object.entries(columns).flatMap(([name, { privacy }]) => (privacy ? [name] : []))
}
