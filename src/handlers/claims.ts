/**
 * Claims: which runs a worker may make. A claim is committed before its handler is called; what the handlers are given is read after
 * it, so that the next claim can be made meanwhile.
 */

import { randomBytes } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { type PartRow, partsStatement, toParts } from '../database/event-parts.ts'
import { failureKind } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query, type Statement } from '../database/query.ts'
import type { HandlerDefinition } from './handler.ts'
import type { Lease } from './lease.ts'
import {
  type ClaimedRow,
  type ClaimedRun,
  claimsOf,
  type DueRow,
  type KeyRow,
  nameOf,
  toClaimedRun,
  toKey,
} from './run.ts'
import type { RunStatements } from './statements.ts'

/** Two claims of one handler collide rarely, and end quickly. */
const MAX_TRIES = 5
/** Postgres may still be at a claim whose connection was lost; it is at none for as long as this. */
const DOUBT_MS = 120_000

export class Claims {
  readonly #database: Database
  readonly #statements: RunStatements
  readonly #lease: Lease
  readonly #underWay = new Set<string>()
  /** Claims that failed, with their handlers and times: some may have been committed, and the answer lost. */
  readonly #doubtful = new Map<string, Doubt>()

  constructor(database: Database, statements: RunStatements, lease: Lease) {
    this.#database = database
    this.#statements = statements
    this.#lease = lease
  }

  /** Claims these runs of a handler, if they are due. */
  byEvent(definition: HandlerDefinition, eventIds: readonly string[]): Promise<ClaimedRun[]> {
    return this.#claim(definition, this.#statementsOf(definition).byEvent, [eventIds])
  }

  /** Claims the next runs of a handler, the longest due first. @param since when they came due; null means just now */
  due(definition: HandlerDefinition, since: string | null, most: number): Promise<ClaimedRun[]> {
    return this.#claim(definition, this.#statementsOf(definition).due, [since, most])
  }

  /** Claimed runs with the bodies of their events, what those changed, and the rows that they are about as they are now. */
  async complete(runs: readonly ClaimedRun[]): Promise<ClaimedRun[]> {
    const [first] = runs
    if (first === undefined) return []
    const { bodies, changes, rows } = await this.#watched(first.claim, first.handler, this.#contentsOf(runs))
    return runs.map((run) => ({
      ...run,
      body: run.body ?? bodies.get(run.eventId) ?? null,
      changes: changes.get(run.eventId) ?? null,
      row: rows.get(rowName(run)) ?? null,
    }))
  }

  /** Whether there may be runs that are claimed and that nobody here knows of. */
  get isDoubtful(): boolean {
    return this.#underWay.size > 0 || this.#doubtful.size > 0
  }

  /** Notes that the handlers of these runs are called now; returns those that are still ours. */
  async mark(runs: readonly ClaimedRun[]): Promise<ClaimedRun[]> {
    const rows = await query<KeyRow>(this.#database.bookkeeping, this.#statements.mark, claimsOf(runs))
    const ours = new Set(rows.map((row) => nameOf(toKey(row))))
    return runs.filter((run) => ours.has(nameOf(run)))
  }

  /** Gives back what was not begun or not finished, to any worker. The try does not count. */
  async release(runs: readonly ClaimedRun[], delayMs = 0): Promise<DueRow[]> {
    if (runs.length === 0) return []
    const parameters = [...claimsOf(runs), delayMs]
    return query<DueRow>(this.#database.bookkeeping, this.#statements.release, parameters)
  }

  #statementsOf({ isOrdered }: HandlerDefinition) {
    return isOrdered ? this.#statements.orderedClaims : this.#statements.claims
  }

  async #claim(
    definition: HandlerDefinition,
    text: string,
    which: readonly unknown[],
  ): Promise<ClaimedRun[]> {
    await this.#giveUpDoubtful()
    for (let tries = 1; ; tries++) {
      try {
        return await this.#claimOnce(definition, text, which)
      } catch (error) {
        if (failureKind(error) !== 'conflict' || tries === MAX_TRIES) throw error
      }
    }
  }

  async #claimOnce(
    definition: HandlerDefinition,
    text: string,
    which: readonly unknown[],
  ): Promise<ClaimedRun[]> {
    const worker = await this.#lease.hold()
    const claim = randomBytes(9).toString('base64url')
    const attempts = definition.retryDelays.length + 1
    const parameters = [worker, claim, definition.name, attempts, ...which]
    const rows = await this.#watched(claim, definition.name, this.#run(definition, text, parameters))
    return rows.map(toClaimedRun)
  }

  /** If this fails, runs may be claimed that nobody makes. */
  async #watched<Result>(claim: string, handler: string, work: Promise<Result>): Promise<Result> {
    this.#underWay.add(claim)
    try {
      return await work
    } catch (error) {
      this.#doubtful.set(claim, { handler, until: Date.now() + DOUBT_MS })
      throw error
    } finally {
      this.#underWay.delete(claim)
    }
  }

  /** As long as this worker lives nobody else would take what it has claimed without knowing. */
  async #giveUpDoubtful(): Promise<void> {
    if (this.#doubtful.size === 0) return
    const handlers = [...this.#doubtful.values()].map(({ handler }) => handler)
    await query(this.#database.bookkeeping, this.#statements.giveUp, [[...this.#doubtful.keys()], handlers])
    for (const [claim, { until }] of this.#doubtful) if (until < Date.now()) this.#doubtful.delete(claim)
  }

  async #run(definition: HandlerDefinition, text: string, claim: readonly unknown[]): Promise<ClaimedRow[]> {
    const { bookkeepTogether, schema } = this.#database
    const lock = { text: this.#statements.lock, parameters: [`${schema} ${definition.name}`] }
    const statements = [...(definition.isOrdered ? [lock] : []), { text, parameters: claim }]
    return (await bookkeepTogether(statements)).at(-1) as ClaimedRow[]
  }

  /** In one flight. */
  async #contentsOf(runs: readonly ClaimedRun[]) {
    const { bookkeepTogether, schema } = this.#database
    const events = runs.map(({ eventId, receivedAt }) => ({ id: eventId, received_at: receivedAt }))
    const lookups = lookupsOf(schema, runs)
    const [bodies, changes, ...found] = await bookkeepTogether([
      partsStatement(schema, 'event_bodies', events),
      partsStatement(schema, 'event_changes', events),
      ...lookups.map(({ statement }) => statement),
    ])
    const rows = lookups.flatMap(({ resource }, index) =>
      (found[index] as { id: string }[]).map((row) => [rowKey(resource, row.id), row] as const),
    )
    return {
      bodies: toParts(bodies as PartRow<'event_bodies'>[]),
      changes: toParts(changes as PartRow<'event_changes'>[]),
      rows: new Map<string, object>(rows),
    }
  }
}

interface Doubt {
  readonly handler: string
  readonly until: number
}

interface Lookup {
  readonly resource: string
  readonly statement: Statement
}

function lookupsOf(schema: string, runs: readonly ClaimedRun[]): Lookup[] {
  return [...Map.groupBy(runs, ({ resource }) => resource)].flatMap(([resource, ofResource]) => {
    if (resource === null) return []
    const text = `select * from ${qualify(schema, resource)} where id = any($1::text[])`
    const ids = [...new Set(ofResource.map(({ resourceId }) => resourceId))]
    return [{ resource, statement: { text, parameters: [ids] } }]
  })
}

function rowName({ resource, resourceId }: ClaimedRun): string {
  return rowKey(resource, resourceId)
}

function rowKey(resource: string | null, id: string | null): string {
  return `${resource} ${id}`
}
