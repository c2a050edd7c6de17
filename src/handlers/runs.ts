/** Keeps the books of the runs: who may run what, and what became of it. */

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../database/database.ts'
import { messageOf } from '../database/failure.ts'
import type { SqlClient } from '../database/open-transaction.ts'
import { query } from '../database/query.ts'
import type { Change, ClerkTables, EventSource, FailedAttempt, Outcome } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Engine, RunKey, Wake } from './engine.ts'
import { type RunStatements, runStatements } from './statements.ts'

/**
 * How long a claim holds without a heartbeat. A lost worker's runs start again after this and a sweep: within 30 s.
 * A process that is silent for longer (a blocked event loop) is taken for lost, and fenced out.
 */
export const LEASE_MS = 20_000

/** A run that this process may make. */
export interface ClaimedRun extends RunKey {
  readonly claim: string
  readonly attempt: number
  readonly orderKey: string | null
  readonly startedAt: Date
  readonly history: readonly FailedAttempt[]
  readonly resource: string | null
  readonly resourceId: string | null
  readonly outcome: Outcome
  readonly changes: Record<string, Change> | null
  readonly source: EventSource
  readonly body: Uint8Array | null
  readonly hasSecrets: boolean
}

/** How a try failed. */
export interface FailedRun {
  readonly run: ClaimedRun
  readonly error: string
  readonly fingerprint: string
  /** Seconds until the next try; undefined if there is none. */
  readonly delay: number | undefined
}

/** A run to be recorded. */
export interface NewRun extends RunKey {
  readonly orderKey: string | null
  readonly occurredAt: Date
}

/** A transaction, and whom to wake when it is committed. */
export interface Unit {
  readonly trx: Transaction<ClerkTables>
  readonly wakes: Wake[]
}

export const MAX_HISTORY = 10

/** Which process, for people. */
const WORKER = `${hostname()}:${process.pid}`

export class Runs {
  readonly #database: Kysely<ClerkTables>
  readonly #statements: RunStatements
  readonly #engine: Engine
  readonly #log: Logger

  constructor({ bookkeeping, schema }: Database, engine: Engine, log: Logger) {
    this.#database = bookkeeping
    this.#statements = runStatements(schema)
    this.#engine = engine
    this.#log = log
  }

  /** Records runs inside the caller's transaction; those that are there already stay as they are. */
  async insert(trx: Transaction<ClerkTables>, runs: readonly NewRun[]): Promise<Wake[]> {
    const rows = runs.map(({ eventId, handler, orderKey, occurredAt }) => ({
      event_id: eventId,
      handler,
      order_key: orderKey,
      occurred_at: occurredAt,
    }))
    const inserted = await query<KeyRow>(trx, this.#statements.insert, [JSON.stringify(rows)])
    return inserted.map((row) => {
      const key = toKey(row)
      return { ...key, id: `${key.eventId}:${key.handler}`, at: null }
    })
  }

  /** As {@link insert}, for runs of what was recorded before. */
  async add({ trx, wakes }: Unit, runs: readonly NewRun[]): Promise<RunKey[]> {
    const added = runs.length === 0 ? [] : await this.insert(trx, runs)
    wakes.push(...added)
    return added
  }

  /** Begins failed runs anew, from their first try on; those that run or are done stay as they are. */
  async reopen({ trx, wakes }: Unit, keys: readonly RunKey[], note: string | null): Promise<RunKey[]> {
    const rows = await query<DueRow>(trx, this.#statements.reopen, [...columnsOf(keys), note])
    wakes.push(...rows.map(toWake))
    return rows.map(toKey)
  }

  /** Ends runs that need not succeed; those that run or are done stay as they are. */
  async discard({ trx, wakes }: Unit, keys: readonly RunKey[], note: string | null): Promise<RunKey[]> {
    const rows = await query<KeyRow & { order_key: string | null }>(trx, this.#statements.discard, [
      ...columnsOf(keys),
      note,
    ])
    await query(trx, this.#statements.forgetSecrets, [rows.map((row) => row.event_id)])
    wakes.push(
      ...(await this.#nextInLine(
        trx,
        rows.map((row) => ({ ...toKey(row), orderKey: row.order_key })),
      )),
    )
    return rows.map(toKey)
  }

  /** How many of these have failed and were not successful since. */
  async countFailing(keys: readonly RunKey[]): Promise<number> {
    return (await this.#query(this.#statements.failing, columnsOf(keys))).length
  }

  /** Wakes workers for the next runs of a handler that are due, after the one given. */
  async wakeDue(handler: string, after: string, most: number): Promise<string | null> {
    const rows = await this.#query<DueRow>(this.#statements.due, [handler, after, most])
    await this.enqueue(rows.map(toWake))
    return rows.length < most ? null : (rows.at(-1) as DueRow).event_id
  }

  /** Pauses a handler, or lets it go on with a null. */
  async pause(handler: string, reason: string | null, isPaused: boolean): Promise<void> {
    await this.#query(this.#statements.pause, [handler, isPaused, reason])
  }

  async claim(keys: readonly RunKey[]): Promise<ClaimedRun[]> {
    try {
      const parameters = [...columnsOf(keys), ...this.#newClaim()]
      return (await this.#query<ClaimedRow>(this.#statements.claim, parameters)).map(toClaimedRun)
    } catch (error) {
      if (!isTaken(error)) throw error
      if (keys.length === 1) return []
      const claimed: ClaimedRun[] = []
      for (const key of keys) claimed.push(...(await this.claim([key])))
      return claimed
    }
  }

  /** Claims runs that are overdue and that nobody was woken for, or whose worker is gone. */
  async claimOverdue(handler: string, most: number, graceMs: number): Promise<ClaimedRun[]> {
    try {
      const parameters = [handler, most, ...this.#newClaim(), graceMs]
      return (await this.#query<ClaimedRow>(this.#statements.claimOverdue, parameters)).map(toClaimedRun)
    } catch (error) {
      if (!isTaken(error)) throw error
      return most === 1 ? [] : this.claimOverdue(handler, 1, graceMs)
    }
  }

  /** Extends the leases, and returns the claims that are lost. */
  async renew(runs: readonly ClaimedRun[]): Promise<ClaimedRun[]> {
    const renewed = await this.#query<KeyRow & { claim: string }>(this.#statements.renew, [
      ...claimsOf(runs),
      LEASE_MS,
    ])
    const kept = new Set(renewed.map(({ claim, ...row }) => `${claim} ${nameOf(toKey(row))}`))
    return runs.filter((run) => !kept.has(`${run.claim} ${nameOf(run)}`))
  }

  /** Notes that runs are done. Those that lost their claim are not this process' to say, and are left out. */
  async succeed(runs: readonly ClaimedRun[]): Promise<void> {
    const ended = await this.#query<KeyRow>(this.#statements.succeed, claimsOf(runs))
    const keys = new Set(ended.map((row) => nameOf(toKey(row))))
    await this.followUp(runs.filter((run) => keys.has(nameOf(run))))
  }

  /**
   * Notes that a run is done, in the transaction that it wrote through.
   * @throws if somebody else has the run by now: then nothing of this may be committed
   */
  async succeedIn(client: SqlClient, run: ClaimedRun): Promise<void> {
    const { rows } = await client.query(this.#statements.succeed, claimsOf([run]))
    if (rows.length !== 1) throw new ClerkSyncError('handler_lost')
  }

  /**
   * What follows from runs that are over: the next of their resources are woken, and their events need their secrets no
   * more. After the commit of their end: of two that end at once, one must see the other's. Never rejects, because what
   * is done is done: workers find what nobody was woken for, and the upkeep finds secrets.
   */
  async followUp(runs: readonly ClaimedRun[]): Promise<void> {
    if (runs.every((run) => run.orderKey === null && !run.hasSecrets)) return
    try {
      await this.inTransaction(async ({ trx, wakes }) => {
        await this.#forgetSecrets(trx, runs)
        wakes.push(...(await this.#nextInLine(trx, runs)))
      })
    } catch (error) {
      this.#log.warn({ cause: messageOf(error) }, 'cannot note what follows from the end of handlers')
    }
  }

  /** Notes failed tries; again without those that lost their claim. */
  async fail(failures: readonly FailedRun[]): Promise<void> {
    const rows = await this.inTransaction(async ({ trx, wakes }) => {
      const rows = await query<FailedRow>(trx, this.#statements.fail, [
        JSON.stringify(failures.map(failedRow)),
      ])
      wakes.push(...rows.filter(({ status }) => status === 'retrying').map(toWake))
      return rows
    })
    const dead = new Set(rows.filter(({ status }) => status === 'dead').map((row) => nameOf(toKey(row))))
    await this.followUp(failures.map(({ run }) => run).filter((run) => dead.has(nameOf(run))))
  }

  /** Gives back what was not begun or not finished, to whoever is there. The try does not count. */
  async release(runs: readonly ClaimedRun[]): Promise<void> {
    if (runs.length === 0) return
    await this.inTransaction(async ({ trx, wakes }) => {
      const rows = await query<DueRow>(trx, this.#statements.release, claimsOf(runs))
      wakes.push(...rows.map(toWake))
    })
  }

  async #nextInLine(
    trx: Transaction<ClerkTables>,
    runs: readonly Pick<ClaimedRun, 'handler' | 'orderKey'>[],
  ): Promise<Wake[]> {
    const ordered = runs.filter(({ orderKey }) => orderKey !== null)
    if (ordered.length === 0) return []
    const lines = [ordered.map(({ handler }) => handler), ordered.map(({ orderKey }) => orderKey)]
    return (await query<DueRow>(trx, this.#statements.nextInLine, lines)).map(toWake)
  }

  async #forgetSecrets(trx: Transaction<ClerkTables>, runs: readonly ClaimedRun[]): Promise<void> {
    const ids = runs.filter(({ hasSecrets }) => hasSecrets).map(({ eventId }) => eventId)
    if (ids.length > 0) await query(trx, this.#statements.forgetSecrets, [ids])
  }

  /** Does something to runs, and wakes workers for what it set free: in the same transaction, if the engine can. */
  async inTransaction<Result>(work: (unit: Unit) => Promise<Result>): Promise<Result> {
    const { isTransactional } = this.#engine
    const wakes: Wake[] = []
    const result = await this.#database.transaction().execute(async (trx) => {
      const result = await work({ trx, wakes })
      if (isTransactional) await this.enqueue(wakes, trx)
      return result
    })
    if (!isTransactional) await this.enqueue(wakes)
    return result
  }

  /** Hands wakes to the engine. One that is not transactional may fail: what it does not get is swept up. */
  async enqueue(wakes: readonly Wake[], trx?: Transaction<ClerkTables>): Promise<void> {
    if (wakes.length === 0) return
    await this.#engine.enqueue(wakes, trx).catch((error) => {
      if (this.#engine.isTransactional) throw error
      this.#log.warn({ cause: messageOf(error) }, 'the engine takes no wakes; workers look for themselves')
    })
  }

  #newClaim(): [claim: string, worker: string, leaseMs: number] {
    return [randomUUID(), WORKER, LEASE_MS]
  }

  #query<Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> {
    return query<Row>(this.#database, text, parameters)
  }
}

/** Another worker runs another event of the same resource: the unique index over running ordered runs says so. */
function isTaken(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '23505'
}

interface KeyRow {
  event_id: string
  handler: string
}

interface DueRow extends KeyRow {
  due_at: Date
}

interface FailedRow extends DueRow {
  status: 'retrying' | 'dead'
}

interface ClaimedRow extends KeyRow {
  claim: string
  attempts: number
  order_key: string | null
  started_at: Date
  history: FailedAttempt[] | null
  resource: string | null
  resource_id: string | null
  outcome: Outcome
  changes: Record<string, Change> | null
  source: EventSource
  body: Uint8Array | null
  has_secrets: boolean
}

/** Names a run in a set. Neither part holds a space. */
export function nameOf({ eventId, handler }: RunKey): string {
  return `${handler} ${eventId}`
}

function toKey(row: KeyRow): RunKey {
  return { eventId: row.event_id, handler: row.handler }
}

/**
 * Each wake has a name of its own: an engine that drops what it has had before may have had one for the same time, which
 * met a paused handler, or an earlier run of the same resource.
 */
function toWake(row: DueRow): Wake {
  return { ...toKey(row), id: `${row.event_id}:${row.handler}:${randomUUID()}`, at: row.due_at }
}

function toClaimedRun(row: ClaimedRow): ClaimedRun {
  return {
    ...toKey(row),
    claim: row.claim,
    attempt: row.attempts,
    orderKey: row.order_key,
    startedAt: row.started_at,
    history: row.history ?? [],
    resource: row.resource,
    resourceId: row.resource_id,
    outcome: row.outcome,
    changes: row.changes,
    source: row.source,
    body: row.body,
    hasSecrets: row.has_secrets,
  }
}

function columnsOf(keys: readonly RunKey[]): [eventIds: string[], handlers: string[]] {
  return [keys.map(({ eventId }) => eventId), keys.map(({ handler }) => handler)]
}

function claimsOf(runs: readonly ClaimedRun[]): unknown[] {
  return [runs.map(({ claim }) => claim), ...columnsOf(runs)]
}

function failedRow({ run, error, fingerprint, delay }: FailedRun): object {
  const attempt: FailedAttempt = {
    attempt: run.attempt,
    startedAt: run.startedAt.toISOString(),
    failedAt: new Date().toISOString(),
    worker: WORKER,
    error,
  }
  return {
    claim: run.claim,
    event_id: run.eventId,
    handler: run.handler,
    status: delay === undefined ? 'dead' : 'retrying',
    error,
    fingerprint,
    history: [...run.history, attempt].slice(-MAX_HISTORY),
    delay_ms: delay === undefined ? null : delay * 1_000,
  }
}
