/** What an erasure counts. */

/** What was erased, or would be. */
export interface ErasureCounts {
  /** Rows, by table. */
  readonly rows: Readonly<Record<string, number>>
  /** Events of which the body, the changes and the error's text were removed, or a part of the body. */
  readonly events: number
  /** Runs of handlers for these events, and others whose error or note quoted the person. */
  readonly runs: number
  /** Entries elsewhere that quoted the person: of the audit log, jobs, refused requests, paused handlers. */
  readonly texts: Readonly<Record<string, number>>
}

/** The same, while it is being counted. */
export interface Counts {
  rows: Record<string, number>
  events: number
  runs: number
  texts: Record<string, number>
}

export function newCounts(): Counts {
  return { rows: {}, events: 0, runs: 0, texts: {} }
}

export function add(counts: Record<string, number>, name: string, count: number): void {
  if (count > 0) counts[name] = (counts[name] ?? 0) + count
}
