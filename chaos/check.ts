/**
 * The checker. It knows none of clerk-sync's code: only what was sent and acknowledged, what stands in the database, and
 * what handlers did.
 */

import type { ExpectedUser } from './traffic.ts'

interface Sent {
  readonly id: string
  readonly userId: string
  readonly type: string
  readonly at: number
  readonly ackedAt: number | null
}

export interface Observation {
  readonly sent: readonly Sent[]
  readonly expectedUsers: ReadonlyMap<string, ExpectedUser>
  /** The user of each session. */
  readonly expectedSessions: ReadonlyMap<string, string>
  readonly ledger: readonly { readonly id: string; readonly outcome: string }[]
  readonly users: readonly {
    readonly id: string
    readonly firstName: string | null
    readonly isDeleted: boolean
  }[]
  readonly sessions: readonly { readonly id: string; readonly isDeleted: boolean }[]
  readonly runs: readonly {
    readonly eventId: string
    readonly handler: string
    readonly status: string
    readonly startedAt: number | null
  }[]
  /** In the order in which they were written. */
  readonly effects: readonly { readonly eventId: string; readonly userId: string; readonly at: number }[]
  /** What reached the sink: how often each event came, by idempotency key. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Processes that ended although nobody killed them. */
  readonly endings: readonly string[]
}

export type ViolationKind = 'lost' | 'doubled' | 'misordered' | 'stuck' | 'wrong' | 'ended'

export interface Violation {
  readonly kind: ViolationKind
  readonly subject: string
  readonly detail: string
}

export function check(observation: Observation): Violation[] {
  return [
    ...checkLedger(observation),
    ...checkUsers(observation),
    ...checkSessions(observation),
    ...checkRuns(observation),
    ...checkEffects(observation),
    ...checkOrder(observation),
    ...checkCalls(observation),
    ...observation.endings.map((detail) => violation('ended', 'process', detail)),
  ]
}

function violation(kind: ViolationKind, subject: string, detail: string): Violation {
  return { kind, subject, detail }
}

/** What was never acknowledged may be in the ledger or not while it is under way; at the end everything was. */
function checkLedger({ sent, ledger }: Observation): Violation[] {
  const outcomes = new Map(ledger.map(({ id, outcome }) => [id, outcome]))
  const known = new Set(sent.map(({ id }) => id))
  return [
    ...sent.flatMap(({ id, ackedAt }) => {
      if (ackedAt === null) return [violation('stuck', id, 'never acknowledged')]
      const outcome = outcomes.get(id)
      if (outcome === undefined) return [violation('lost', id, 'acknowledged, and not in the ledger')]
      const isFine = outcome === 'applied' || outcome === 'stale'
      return isFine ? [] : [violation('wrong', id, `recorded as ${outcome}`)]
    }),
    ...ledger
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => violation('wrong', id, 'in the ledger, and never sent')),
  ]
}

function checkUsers({ expectedUsers, users }: Observation): Violation[] {
  const rows = new Map(users.map((row) => [row.id, row]))
  return [...expectedUsers].flatMap(([id, { firstName, isDeleted }]) => {
    const row = rows.get(id)
    if (!row) return [violation('lost', id, 'no row')]
    if (row.firstName === firstName && row.isDeleted === isDeleted) return []
    const actual = `${row.firstName}${row.isDeleted ? ', deleted' : ''}`
    return [violation('wrong', id, `row shows ${actual}, not ${firstName}${isDeleted ? ', deleted' : ''}`)]
  })
}

/** A session ends with its user, without an event of its own. */
function checkSessions({ expectedSessions, expectedUsers, sessions }: Observation): Violation[] {
  const rows = new Map(sessions.map((row) => [row.id, row]))
  return [...expectedSessions].flatMap(([id, userId]) => {
    const row = rows.get(id)
    if (!row) return [violation('lost', id, 'no row')]
    const isDeleted = expectedUsers.get(userId)?.isDeleted ?? false
    if (row.isDeleted === isDeleted) return []
    return [
      violation(
        'wrong',
        id,
        isDeleted ? 'its user is deleted, and it is not' : 'deleted, and its user is not',
      ),
    ]
  })
}

function handlersOf(type: string): string[] {
  return type.startsWith('user.') ? ['effect', 'notify'] : ['notify']
}

function checkRuns({ sent, ledger, runs }: Observation): Violation[] {
  const statuses = new Map(runs.map(({ eventId, handler, status }) => [`${eventId} ${handler}`, status]))
  const recorded = new Set(ledger.map(({ id }) => id))
  return sent
    .filter(({ id }) => recorded.has(id))
    .flatMap(({ id, type }) =>
      handlersOf(type).flatMap((handler) => {
        const status = statuses.get(`${id} ${handler}`)
        if (status === undefined) return [violation('lost', id, `no run of ${handler}`)]
        return status === 'succeeded' ? [] : [violation('stuck', id, `the run of ${handler} is ${status}`)]
      }),
    )
}

function checkEffects({ sent, runs, effects }: Observation): Violation[] {
  const counts = Map.groupBy(effects, ({ eventId }) => eventId)
  const known = new Set(sent.map(({ id }) => id))
  const doubled = [...counts].flatMap(([id, { length }]) => {
    if (!known.has(id)) return [violation('wrong', id, 'an effect of what was never sent')]
    return length > 1 ? [violation('doubled', id, `${length} effects`)] : []
  })
  const lost = runs
    .filter(
      ({ eventId, handler, status }) =>
        handler === 'effect' && status === 'succeeded' && !counts.has(eventId),
    )
    .map(({ eventId }) => violation('lost', eventId, 'its run succeeded without an effect'))
  return [...doubled, ...lost]
}

/**
 * An ordered handler must take an earlier event first if that was acknowledged before the later one began. What the
 * database saw too late cannot be waited for.
 */
function checkOrder({ sent, runs, effects }: Observation): Violation[] {
  const ackedAt = new Map(sent.map((each) => [each.id, each.ackedAt ?? Number.POSITIVE_INFINITY]))
  const effectRuns = runs.filter(({ handler }) => handler === 'effect')
  const startedAt = new Map(effectRuns.map((run) => [run.eventId, run.startedAt ?? 0]))
  const byUser = Map.groupBy(effects, ({ userId }) => userId)
  return [...byUser.values()].flatMap((ofUser) =>
    ofUser.flatMap((effect, index) => {
      const tooEarly = ofUser
        .slice(0, index)
        .find(
          (other) =>
            other.at > effect.at &&
            (startedAt.get(other.eventId) ?? 0) > (ackedAt.get(effect.eventId) ?? Number.POSITIVE_INFINITY),
        )
      return tooEarly
        ? [
            violation(
              'misordered',
              effect.eventId,
              `after ${tooEarly.eventId}, which happened later and began after it was acknowledged`,
            ),
          ]
        : []
    }),
  )
}

/** Calls outside the database come at least once, always with the same key: that is how a third party recognizes them. */
function checkCalls({ runs, calls }: Observation): Violation[] {
  return runs
    .filter(({ handler, status }) => handler === 'notify' && status === 'succeeded')
    .flatMap(({ eventId }) => {
      const keys = calls.get(eventId)?.size ?? 0
      if (keys === 0) return [violation('lost', eventId, 'its run succeeded without a call')]
      return keys > 1 ? [violation('doubled', eventId, `called with ${keys} different idempotency keys`)] : []
    })
}

/** Calls that came again with the same key, as at-least-once allows. */
export function countRepeats(calls: Observation['calls']): number {
  const counts = [...calls.values()].flatMap((keys) => [...keys.values()])
  return counts.reduce((sum, count) => sum + count - 1, 0)
}
