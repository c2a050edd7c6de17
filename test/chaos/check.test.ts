/** The checker of the chaos runs: what each kind of damage looks like to it. */

import { describe, expect, it } from 'vitest'
import { check, countRepeats, type Observation } from '../../chaos/check.ts'
import { longestGap } from '../../chaos/harm.ts'

/** Two events of one user, the earlier acknowledged long before the later began, and a session. */
const SOUND: Observation = {
  sent: [
    { id: 'msg_1', userId: 'user_1', type: 'user.created', at: 1, ackedAt: 1_000 },
    { id: 'msg_2', userId: 'user_1', type: 'user.updated', at: 2, ackedAt: 2_000 },
    { id: 'msg_3', userId: 'user_1', type: 'session.created', at: 3, ackedAt: 3_000 },
  ],
  expectedUsers: new Map([['user_1', { firstName: 'v2', isDeleted: false }]]),
  expectedSessions: new Map([['sess_1', 'user_1']]),
  ledger: [
    { id: 'msg_1', outcome: 'stale' },
    { id: 'msg_2', outcome: 'applied' },
    { id: 'msg_3', outcome: 'applied' },
  ],
  users: [{ id: 'user_1', firstName: 'v2', isDeleted: false }],
  sessions: [{ id: 'sess_1', isDeleted: false }],
  runs: [
    { eventId: 'msg_1', handler: 'effect', status: 'succeeded', startedAt: 1_100 },
    { eventId: 'msg_2', handler: 'effect', status: 'succeeded', startedAt: 2_100 },
    ...['msg_1', 'msg_2', 'msg_3'].map((eventId) => ({
      eventId,
      handler: 'notify',
      status: 'succeeded',
      startedAt: 5_000,
    })),
  ],
  effects: [
    { eventId: 'msg_1', userId: 'user_1', at: 1 },
    { eventId: 'msg_2', userId: 'user_1', at: 2 },
  ],
  calls: new Map([
    ['msg_1', new Map([['key_1', 2]])],
    ['msg_2', new Map([['key_2', 1]])],
    ['msg_3', new Map([['key_3', 1]])],
  ]),
  endings: [],
}

function kinds(changes: Partial<Observation>): string[] {
  return check({ ...SOUND, ...changes }).map(({ kind, subject }) => `${kind} ${subject}`)
}

describe('the checker of chaos runs', () => {
  it('finds nothing where everything is as it should be; a repeated call is counted', () => {
    expect(check(SOUND)).toEqual([])
    expect(countRepeats(SOUND.calls)).toBe(1)
  })

  it('finds what was acknowledged and is nowhere', () => {
    const [, ...ledger] = SOUND.ledger
    expect(kinds({ ledger })).toEqual(['lost msg_1'])
    expect(kinds({ users: [] })).toEqual(['lost user_1'])
    expect(kinds({ sessions: [] })).toEqual(['lost sess_1'])
    expect(kinds({ runs: SOUND.runs.slice(1) })).toEqual(['lost msg_1'])
    expect(kinds({ effects: SOUND.effects.slice(1) })).toEqual(['lost msg_1'])
    expect(kinds({ calls: new Map([...SOUND.calls].slice(1)) })).toEqual(['lost msg_1'])
  })

  it('finds what happened twice', () => {
    expect(kinds({ effects: [...SOUND.effects, ...SOUND.effects.slice(1)] })).toEqual(['doubled msg_2'])
    const keys = new Map([
      ['key_1', 1],
      ['another', 1],
    ])
    expect(kinds({ calls: new Map([...SOUND.calls, ['msg_1', keys]]) })).toEqual(['doubled msg_1'])
  })

  it('finds rows and records that are not what Clerk has', () => {
    expect(kinds({ users: [{ id: 'user_1', firstName: 'v1', isDeleted: false }] })).toEqual(['wrong user_1'])
    expect(kinds({ users: [{ id: 'user_1', firstName: 'v2', isDeleted: true }] })).toEqual(['wrong user_1'])
    expect(kinds({ sessions: [{ id: 'sess_1', isDeleted: true }] })).toEqual(['wrong sess_1'])
    expect(kinds({ ledger: [...SOUND.ledger, { id: 'msg_9', outcome: 'applied' }] })).toEqual(['wrong msg_9'])
    const ledger = SOUND.ledger.map((event) => ({ ...event, outcome: 'failed' }))
    expect(kinds({ ledger })).toEqual(['wrong msg_1', 'wrong msg_2', 'wrong msg_3'])
  })

  it('finds a later effect before an earlier one, unless the earlier event came too late to be waited for', () => {
    const effects = [...SOUND.effects].reverse()
    expect(kinds({ effects })).toEqual(['misordered msg_1'])
    const sent = SOUND.sent.map((each) => (each.id === 'msg_1' ? { ...each, ackedAt: 2_200 } : each))
    expect(kinds({ effects, sent })).toEqual([])
  })

  it('finds what never ends', () => {
    const sent = SOUND.sent.map((each) => (each.id === 'msg_3' ? { ...each, ackedAt: null } : each))
    expect(kinds({ sent })).toEqual(['stuck msg_3'])
    const runs = SOUND.runs.map((run) => (run.handler === 'effect' ? { ...run, status: 'running' } : run))
    expect(kinds({ runs })).toEqual(['stuck msg_1', 'stuck msg_2'])
  })

  it('finds a process that ended by itself', () => {
    expect(kinds({ endings: ['worker-1 ended by itself: exit 1'] })).toEqual(['ended process'])
  })

  it('measures an outage between accepted deliveries, and to the edges', () => {
    expect(longestGap([5, 10, 40, 50], 0, 60)).toBe(30)
    expect(longestGap([], 10, 60)).toBe(50)
    expect(longestGap([12], 10, 60)).toBe(48)
  })
})
