/**
 * Which state is newer.
 *
 * Clerk's `updated_at` decides; at the same millisecond the time at which the state was shown, and then the JSON text
 * itself: any rule would do there, as long as every order of arrival ends in the same row.
 */

export interface Version {
  readonly updatedAt: Date | null
  readonly observedAt: Date
  readonly raw: Uint8Array
}

/** Negative if `a` is older than `b`, 0 if they are the same state. */
export function compareVersions(a: Version, b: Version): number {
  return (
    (a.updatedAt ?? a.observedAt).getTime() - (b.updatedAt ?? b.observedAt).getTime() ||
    a.observedAt.getTime() - b.observedAt.getTime() ||
    Buffer.compare(a.raw, b.raw)
  )
}
