/** Which Clerk instance a secret key belongs to. */

import type { ApiCall, ClerkApi } from '../clerk/api/client.ts'
import { ClerkSyncError } from '../errors.ts'

/**
 * Asks Clerk for the instance; null if it does not tell.
 * @param expected the instances whose events are applied; empty means any
 * @throws {ClerkSyncError} `api_wrong_instance`, `api_…`
 */
export async function findInstance(
  api: ClerkApi,
  expected: ReadonlySet<string>,
  call: ApiCall,
): Promise<string | null> {
  const [only] = expected.size === 1 ? expected : []
  const { item } = await api.item('/instance', call)
  if (item === null) return only ?? null
  if (expected.size > 0 && !expected.has(item.id))
    throw new ClerkSyncError(
      'api_wrong_instance',
      `it is of ${item.id}, expected ${[...expected].join(' or ')}`,
    )
  return item.id
}

/** Whether a `row` may be of the instance in a parameter: of another's, this one's lists and answers tell nothing. */
export function isOfInstance(parameter: string): string {
  return `(row.instance_id is null or ${parameter}::text is null or row.instance_id = ${parameter})`
}
