/** Sweeps one resource: reads Clerk's whole list, compares it with the rows, writes the differences, and counts. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { toDate } from '../clerk/event.ts'
import { type Resource, readColumns } from '../clerk/resource.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { Observation } from '../ingest/observation.ts'
import type { Verdict } from '../ingest/verdict.ts'
import { tombstoneAbsent } from './absences.ts'
import { findCauses } from './causes.ts'
import { type Comparison, compare, type Drift } from './compare.ts'
import { noteSweep } from './last-sweep.ts'
import { canLookUp, lookUp } from './lookup.ts'
import {
  type ListedPage,
  type Position,
  type ReadParents,
  readAhead,
  readByOffset,
  readPages,
  START,
} from './pages.ts'
import { PendingVerifications } from './pending-verifications.ts'
import { addDrift, type Cause, newProgress, noteRefusal, type SweepProgress } from './progress.ts'
import { SeenIds } from './seen-ids.ts'
import { notificationFor, observationsOf, type Task } from './task.ts'
import { workAhead } from './work-ahead.ts'

/** Called after each page with the position to resume from. */
export type OnPage = (next: Position | null) => Promise<void>

/** What Clerk shows of one: the resource itself first, then what it holds. */
type Shown = readonly [Observation, ...Observation[]]

/** Something that differs from its row. */
interface Found {
  readonly shown: Shown
  readonly drift: Drift
}

/** How often the list is gone through when it shows fewer than Clerk counts: rows may have been skipped. */
const MAX_PASSES = 2
/** While one page is being written, the next are read and prepared. A reconcile counts as it goes, page by page. */
const PAGES_AT_ONCE = 3

export class Sweep {
  readonly #task: Task
  readonly #resource: Resource
  readonly #progress: SweepProgress
  readonly #onPage: OnPage
  readonly #seenIds: SeenIds

  constructor(task: Task, resource: Resource, progress: SweepProgress, onPage: OnPage) {
    this.#task = task
    this.#resource = resource
    this.#progress = progress
    this.#onPage = onPage
    this.#seenIds = new SeenIds(task.database, task.schema, task.jobId, resource)
  }

  /**
   * Goes through all of it, from a position on.
   * @throws {ClerkSyncError} `api_…`, `list_shrunken`, `job_lost`, `database_…`
   */
  async run(from: Position | null): Promise<void> {
    const progress = this.#progress
    if (from === null) await this.#seenIds.clear()
    await this.#pass(from)
    for (let pass = 2; pass <= MAX_PASSES && this.#isShort; pass++) await this.#pass(null)
    await this.#noteRead()
    if (this.#task.isReconcile && progress.startedAt !== null) {
      await this.#tombstoneAbsent(new Date(progress.startedAt))
    }
    progress.status = this.#isShort || progress.failed > 0 ? 'incomplete' : 'complete'
  }

  /**
   * Looks only at what changed since then, the latest first. That finds no deletions, but their number gives them away.
   * @returns whether that was enough; else everything must be looked at
   * @throws {ClerkSyncError} as {@link run}
   */
  async runLatest(since: Date): Promise<boolean> {
    const { api, call } = this.#task
    const [list] = this.#resource.api?.lists ?? []
    if (!list?.latestFirst || !list.countPath) return false
    this.#countAnew()
    const query = { ...list.query, ...list.latestFirst }
    for (let position: Position | null = START; position; ) {
      const page = await readByOffset({ api, call }, list.path, query, position)
      await this.#take(page)
      const oldest = toDate(page.items.at(-1)?.data.updated_at)
      position = oldest !== null && oldest < since ? null : page.next
    }
    await this.#seenIds.clear()
    await this.#noteRead()
    const progress = this.#progress
    const [inClerk, here] = [
      await api.count(list.countPath, {}, call),
      await this.#seenIds.countLive(this.#task.instanceId),
    ]
    const isEnough = inClerk === here
    progress.isFull = !isEnough
    progress.status = progress.failed > 0 ? 'incomplete' : 'complete'
    return isEnough
  }

  /** What is read again from the beginning is neither listed nor refused twice. */
  #countAnew(): void {
    Object.assign(this.#progress, { listed: 0, failed: 0, error: null })
  }

  get #isShort(): boolean {
    const { expected, listed } = this.#progress
    return expected !== null && listed < expected
  }

  async #pass(from: Position | null): Promise<void> {
    const { api, call, isReconcile } = this.#task
    if (from === null) this.#countAnew()
    const path = this.#resource.api?.lists[0]?.countPath
    if (path) this.#progress.expected = await api.count(path, {}, call)
    await this.#readAll(from)
    // What was marked just before the process was killed is in no count.
    if (isReconcile) this.#progress.listed = await this.#seenIds.count()
  }

  async #readAll(from: Position | null): Promise<void> {
    const { api, call, database, schema, isReconcile } = this.#task
    const reading = { api, call, readParents: parentsIn(database, schema) }
    const pages = readAhead(readPages(reading, this.#resource, from))
    const most = isReconcile ? 1 : PAGES_AT_ONCE
    for await (const page of workAhead(pages, most, (page) => this.#take(page))) {
      call.signal?.throwIfAborted()
      // Not when it was taken: a run that resumes here reads the pages ahead again.
      if (!isReconcile) this.#progress.listed += page.items.length
      await this.#onPage(page.next)
    }
  }

  async #take(page: ListedPage): Promise<void> {
    const { database, schema, isReconcile } = this.#task
    this.#note(page)
    const shown = page.items.map((item) => observationsOf(this.#task, this.#resource, item, page.observedAt))
    const primaries = shown.map(([primary]) => primary)
    if (isReconcile) this.#progress.listed += await this.#seenIds.add(primaries.map(({ id }) => id))
    const comparisons = await compare(database, schema, primaries, { isThorough: isReconcile })
    this.#progress.unchanged += timesOf('same', comparisons)
    this.#progress.skipped += timesOf('newer_here', comparisons)
    const found = shown.flatMap((each, index) => toFound(each, comparisons[index] as Comparison))
    if (isReconcile) await this.#refresh(found)
    const deletedHere = found.filter(({ drift }) => drift.kind === 'deleted_here')
    await this.#write(found.filter(({ drift }) => drift.kind !== 'deleted_here'))
    if (isReconcile) await this.#write(await this.#confirm(deletedHere))
    this.#progress.skipped += isReconcile ? 0 : deletedHere.length
  }

  /**
   * Reads the resources listed per owner, for the owners of rows that differ. This happens before the repair, so that a
   * process killed in between finds the differences again.
   */
  async #refresh(found: readonly Found[]): Promise<void> {
    const { refreshes } = this.#resource.api ?? {}
    const target =
      refreshes && this.#task.resources.has(refreshes.resource) && RESOURCES.get(refreshes.resource)
    const changed = found.filter(({ drift }) => drift.kind !== 'refreshed')
    if (!refreshes || !target || !this.#task.refreshes || changed.length === 0) return
    const rows = changed.map(({ shown: [{ state }] }) =>
      readColumns(this.#resource.columns, state?.data ?? {}),
    )
    const sweep = new Sweep(this.#task, target, newProgress(), async () => undefined)
    await sweep.runFor(async (table, after, limit) => {
      const ids = rows.map((row) => row[refreshes.owners[table] ?? '']).filter((id) => typeof id === 'string')
      return [...new Set(ids)]
        .sort()
        .filter((id) => after === null || id > after)
        .slice(0, limit)
    })
  }

  /** Reads only what belongs to some rows of other tables. What is missing there is not deleted. */
  async runFor(readParents: ReadParents): Promise<void> {
    const { api, call } = this.#task
    for await (const page of readPages({ api, call, readParents }, this.#resource, null)) {
      await this.#take(page)
    }
  }

  #note({ observedAt, total }: ListedPage): void {
    const progress = this.#progress
    const { lists = [] } = this.#resource.api ?? {}
    progress.startedAt ??= observedAt.toISOString()
    // Several lists count only their own.
    if (total !== null && lists.length === 1 && !lists[0]?.parts) progress.expected = total
  }

  /** Before absent rows are looked for, so that what comes in between is seen by one of the two. */
  async #noteRead(): Promise<void> {
    const { database, schema, instanceId, writes } = this.#task
    const { startedAt } = this.#progress
    // Resources without a lookup by id are never known to be deleted.
    if (!writes || startedAt === null || !canLookUp(this.#resource)) return
    await noteSweep(database, schema, this.#resource.table, instanceId, startedAt)
  }

  /** A finished sweep also answers the verifications that were pending when it started. */
  async #tombstoneAbsent(startedAt: Date): Promise<void> {
    const { database, schema, instanceId, writes } = this.#task
    const pending = new PendingVerifications(database, schema)
    const late = await pending.coveredBy(this.#resource, startedAt, instanceId)
    await tombstoneAbsent(this.#task, this.#resource, this.#seenIds, startedAt, this.#progress)
    if (writes) await pending.remove(this.#resource, late)
    await this.#seenIds.clear()
  }

  /** A row says that it was deleted, but the list shows it: only a look by its id refutes that. */
  async #confirm(deletedHere: readonly Found[]): Promise<Found[]> {
    if (deletedHere.length === 0 || !canLookUp(this.#resource)) return []
    const { columns } = this.#resource
    const wanted = deletedHere.map(({ shown: [{ id, state }] }) => ({
      ...readColumns(columns, state?.data ?? {}),
      id,
    }))
    const answers = await lookUp(this.#task.api, this.#resource, wanted, this.#task.call)
    return answers.flatMap(({ item, observedAt }) => {
      if (item === null) return []
      const shown = observationsOf(this.#task, this.#resource, item, observedAt, true)
      return [{ shown, drift: { kind: 'deleted_here', fields: ['deleted_at'] } as const }]
    })
  }

  async #write(found: readonly Found[]): Promise<void> {
    if (found.length === 0) return
    // Found before anything is written: the synthetic events of the repair would look like the cause.
    const causes = await this.#causesOf(found)
    const applied = await this.#apply(found)
    found.forEach(({ shown: [{ id }], drift }, index) => {
      const { outcome, error } = applied[index] as Verdict
      if (outcome === 'applied') this.#progress.written++
      else if (outcome === 'stale') this.#progress.skipped++
      else noteRefusal(this.#progress, { id, error: error ?? 'no reason given' })
      // Meanwhile an event has made it good.
      if (outcome === 'stale') return
      const cause = causes[index]
      if (cause) addDrift(this.#task.report, this.#resource.table, id, drift, cause)
    })
  }

  /** The verdict on each; in a dry run, as if it had been written. */
  async #apply(found: readonly Found[]): Promise<Verdict[]> {
    const { ledger, writes } = this.#task
    if (!writes) return found.map(() => ({ outcome: 'applied', reason: null, changes: null }))
    const observations = found.flatMap(({ shown }) => shown)
    const kinds = new Map(found.map(({ shown: [primary], drift }) => [primary, drift.kind]))
    const applied = await ledger.apply(observations, notificationFor(this.#task, kinds))
    const results = new Map(observations.map((observation, index) => [observation, applied[index]]))
    return found.map(({ shown: [primary] }) => results.get(primary) as Verdict)
  }

  /** None for a backfill, for which everything is missing. */
  async #causesOf(found: readonly Found[]): Promise<Cause[]> {
    const { isReconcile, database, schema } = this.#task
    if (!isReconcile) return []
    const symptoms = found.map(({ shown: [{ id, state, observedAt }], drift }) => ({
      id,
      drift,
      since: state?.updatedAt ?? observedAt,
    }))
    return findCauses(database, schema, this.#resource.table, symptoms)
  }
}

function toFound(shown: Shown, comparison: Comparison): Found[] {
  return typeof comparison === 'string' ? [] : [{ shown, drift: comparison }]
}

function timesOf(meant: Comparison, comparisons: readonly Comparison[]): number {
  return comparisons.filter((comparison) => comparison === meant).length
}

/** Live rows in the order of their ids. */
function parentsIn(database: Task['database'], schema: string): ReadParents {
  return async (table, after, limit) => {
    const text = `
      select id from ${qualify(schema, table)}
      where deleted_at is null and observed_at is not null and id > $1 order by id limit $2`
    const rows = await query<{ id: string }>(database, text, [after ?? '', limit])
    return rows.map(({ id }) => id)
  }
}
