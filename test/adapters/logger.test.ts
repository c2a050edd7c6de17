/** A logger that fails: its trouble stays its own. */

import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNodeHandler } from '../../src/adapters/node.ts'
import type { ClerkSync, Logger } from '../../src/index.ts'
import { consoleLogger } from '../../src/log.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { listen } from './serve.ts'

const FULL = new Error('the log’s disk is full')

const failing = (fail: () => unknown): Logger => {
  const line = fail as () => void
  return { debug: line, info: line, warn: line, error: line }
}

const throwing = failing(() => {
  throw FULL
})
const rejecting = failing(() => Promise.reject(FULL))

describe.each([
  ['throws', throwing],
  ['rejects', rejecting],
])('with a logger that %s', (_, log) => {
  const database = embeddedDatabase()
  const stray: unknown[] = []
  const note = (reason: unknown) => void stray.push(reason)
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  let sync: ClerkSync

  beforeEach(async () => {
    process.on('unhandledRejection', note)
    sync = await database.open({ log })
  })
  afterEach(() => void process.off('unhandledRejection', note))

  it('a committed delivery is answered 200, a refusal with its code, and the process lives', async () => {
    const { port, stop } = await listen(createNodeHandler(sync))
    const url = `http://127.0.0.1:${port}/`
    const { id, headers, body } = sign(eventOf('user.created'))
    const answers = [
      await fetch(url, { method: 'POST', headers, body }),
      await fetch(url, { method: 'POST', body: 'x' }),
      await fetch(url),
      await sync.fetch(new Request(url, { method: 'POST', body: 'x' })),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 405, 400])
    expect(await sync.database.selectFrom('events').select('id').execute()).toEqual([{ id }])
    await turn()
    expect(stray).toEqual([])
    expect(warn.mock.calls.flat()).toContainEqual(expect.stringContaining('the log’s disk is full'))
    await stop()
  })

  it('`handle` answers what is no request at all', async () => {
    const odd = { method: 'POST', headers: null, body: 'x' } as never
    expect(await sync.handle(odd)).toMatchObject({ status: 500 })
  })
})

describe('the default logger', () => {
  it('shows what JSON has no text for', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const cycle: { self?: object } = {}
    cycle.self = cycle
    consoleLogger.error({ amount: 12n, cycle }, 'odd')
    expect(error.mock.lastCall?.[0]).toMatch(/12n.*Circular/)
    error.mockRestore()
  })

  it('does not mind a console that fails', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {
      throw FULL
    })
    expect(() => consoleLogger.error({}, 'x')).not.toThrow()
    error.mockRestore()
  })
})
