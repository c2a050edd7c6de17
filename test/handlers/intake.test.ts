/** Which claim comes next where wakes name runs while a look through the table is asked for. */

import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Claims } from '../../src/handlers/claims.ts'
import { on } from '../../src/handlers/handler.ts'
import { Intake } from '../../src/handlers/intake.ts'
import type { ClaimedRun } from '../../src/handlers/run.ts'
import type { Slot } from '../../src/handlers/slots.ts'

const ordered = on('user.*', () => undefined, { name: 'ordered', ordered: true, concurrency: 2 })

/** An intake whose every claim is followed by the wake of another run, and what it asks for. */
function underSteadyWakes() {
  const asked: string[] = []
  const stopping = new AbortController()
  let serial = 0
  const claimed = async (what: string): Promise<ClaimedRun[]> => {
    asked.push(what)
    await turn()
    intake.want([`msg_${serial++}`, `msg_${serial++}`])
    return []
  }
  const claims = {
    due: () => claimed('look'),
    byEvent: () => claimed('wanted'),
    complete: async (runs: readonly ClaimedRun[]) => runs,
  } as unknown as Claims
  const intake = new Intake(ordered, {
    claims,
    stopping: stopping.signal,
    start: (_: ClaimedRun, slot: Slot) => slot.free(),
    giveBack: async () => undefined,
    onTrouble: (error) => {
      throw error
    },
  })
  return { intake, asked, stop: () => stopping.abort() }
}

it('a look comes at the next claim but one, however many runs are wanted by name', async () => {
  const { intake, asked, stop } = underSteadyWakes()
  intake.want(['msg_first'])
  while (asked.length < 3) await turn()
  intake.look('all')
  const before = asked.length
  while (asked.length < before + 3) await turn()
  stop()
  expect(asked.slice(before, before + 3)).toContain('look')
})

it('runs that are wanted by name come at the next claim but one, however often a look is asked for', async () => {
  const { intake, asked, stop } = underSteadyWakes()
  while (asked.length < 20) {
    intake.look('all')
    await turn()
  }
  stop()
  for (let at = 1; at < asked.length; at++) expect(asked.slice(at - 1, at + 1)).toContain('wanted')
})

it('runs whose input could not be read are claimed again, after a pause', async () => {
  const run = { eventId: 'msg_1', handler: 'ordered', dueAt: '' } as ClaimedRun
  const trouble: unknown[] = []
  const outage = new Error('the connection is gone')
  let reads = 0
  const claims = {
    due: async () => (reads < 2 ? [run] : []),
    complete: async (runs: readonly ClaimedRun[]) => {
      if (++reads === 1) throw outage
      return runs
    },
  } as unknown as Claims
  const started = Promise.withResolvers<ClaimedRun>()
  const intake = new Intake(ordered, {
    claims,
    stopping: new AbortController().signal,
    start: (each: ClaimedRun, slot: Slot) => {
      slot.free()
      started.resolve(each)
    },
    giveBack: async () => undefined,
    onTrouble: (error) => trouble.push(error),
  })
  intake.look('all')
  expect(await started.promise).toBe(run)
  expect(trouble).toEqual([outage])
  expect(intake.isPending('msg_1')).toBe(false)
})
