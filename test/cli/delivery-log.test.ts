import { describe, expect, it } from 'vitest'
import {
  deliveryLines,
  noticeLine,
  refusalLines,
  runLines,
  type TakenDelivery,
} from '../../src/cli/delivery-log.ts'
import { Pen } from '../../src/cli/output.ts'
import type { TriedRun } from '../../src/index.ts'

const NOW = new Date(2026, 10, 23, 14, 2, 11)

/** A terminal of a width, which nobody looks at. */
function penOf(columns: number): Pen {
  return new Pen({ isTTY: true, columns } as NodeJS.WriteStream, false)
}

const taken = (facts: Partial<TakenDelivery>): TakenDelivery => ({
  eventId: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0001',
  type: 'user.updated',
  resource: 'users',
  resourceId: 'user_2Lh9KRbYdEfGhIjKlMnOpQrStUv',
  outcome: 'applied',
  reason: null,
  changed: [],
  ms: 8,
  ...facts,
})

describe('the line of a delivery', () => {
  it.each([
    [{ changed: ['first_name', 'image_url'] }, 'first_name, image_url'],
    [{ changed: ['a', 'b', 'c', 'd', 'e'] }, 'a, b, c +2'],
    [{ outcome: 'duplicate' }, 'was delivered before'],
    [{ outcome: 'stale', reason: 'older_than_row' }, 'the row is newer'],
    [{ outcome: 'parked', reason: 'bad_json', type: null, resourceId: null }, 'body is not JSON'],
    [
      { outcome: 'failed', reason: 'rejected_by_database' },
      'clerk-sync events show msg_2Lh9KRbYdEfGhIjKlMnOpQr0001',
    ],
  ] as [Partial<TakenDelivery>, string][])('says of %j: %s', (facts, detail) => {
    const [line = '', ...more] = deliveryLines(taken(facts), penOf(200), NOW)
    expect(more).toEqual([])
    expect(line).toMatch(/^14:02:11 {2}/)
    expect(line).toContain(` ${facts.outcome ?? 'applied'} `)
    expect(line.endsWith(`   8ms  ${detail}`)).toBe(true)
  })

  it('has both ids and what changed, in one line or two, and only the gist where there is no room', () => {
    const delivery = taken({ changed: ['first_name', 'last_name', 'image_url'] })
    expect(deliveryLines(delivery, penOf(200), NOW)).toEqual([
      '14:02:11  ✓ applied    user.updated                    user_2Lh9KRbYdEfGhIjKlMnOpQrStUv  msg_2Lh9KRbYdEfGhIjKlMnOpQr0001     8ms  first_name, last_name, image_url',
    ])
    const ids = '          user_2Lh9KRbYdEfGhIjKlMnOpQrStUv  msg_2Lh9KRbYdEfGhIjKlMnOpQr0001'
    const start = '14:02:11  ✓ applied    user.updated                 8ms'
    expect(deliveryLines(delivery, penOf(100), NOW)).toEqual([
      `${start}  first_name, last_name, image_url`,
      ids,
    ])
    expect(deliveryLines(delivery, penOf(80), NOW)).toEqual([
      start,
      ids,
      '            first_name, last_name, image_url',
    ])
    const short = taken({ changed: ['first_name'] })
    expect(deliveryLines(short, penOf(80), NOW)).toEqual([`${start}  first_name`, ids])
    expect(deliveryLines(delivery, penOf(50), NOW)).toEqual(['14:02:11  ✓ applied    user.updated'])
  })

  it('is never wider than the terminal', () => {
    const long = taken({
      type: 'subscriptionItem.freeTrialEnding',
      changed: ['some_long_name', 'x'.repeat(30)],
    })
    for (const columns of [50, 59, 60, 80, 100, 101, 159, 160, 200]) {
      for (const line of deliveryLines(long, penOf(columns), NOW))
        expect(line.length).toBeLessThanOrEqual(columns)
    }
  })

  it('escapes what a terminal would obey', () => {
    const [line] = deliveryLines(
      taken({ type: 'user.\u001b]0;owned\u0007', changed: ['\u202ename'] }),
      penOf(200),
      NOW,
    )
    expect(line).toContain('user.\\u001b]0;owned\\u0007')
    expect(line).toContain('\\u202ename')
  })
})

describe('the line of a refusal', () => {
  const refusal = {
    code: 'signature_mismatch',
    status: 400,
    message: 'No configured secret made it.',
    remedy: 'Copy it.',
    ref: 'rej_0123456789ab',
  } as const

  it('says rejected for what is no delivery, and refused for what comes again', () => {
    expect(refusalLines(refusal, penOf(160), NOW)).toEqual([
      '14:02:11  ⊘ rejected   signature_mismatch              rej_0123456789ab                  No configured secret made it.',
    ])
    const outage = { code: 'database_unavailable', status: 503, message: 'Down.' } as const
    expect(refusalLines({ ...refusal, ...outage }, penOf(160), NOW)).toEqual([
      '14:02:11  ✗ refused    database_unavailable            rej_0123456789ab                  Down.',
    ])
  })

  it('counts those that were not told', () => {
    const lines = refusalLines({ ...refusal, again: 41 }, penOf(80), NOW)
    expect(lines[0]).toContain('41 more in the last seconds')
  })

  it('breaks what was found out between words', () => {
    const message =
      'Signature does not match any configured signing secret: it was made for another timestamp.'
    expect(refusalLines({ ...refusal, message }, penOf(80), NOW)).toEqual([
      '14:02:11  ⊘ rejected   signature_mismatch',
      '          rej_0123456789ab  Signature does not match any configured signing',
      '                            secret: it was made for another timestamp.',
    ])
  })
})

describe('the line of a handler’s run', () => {
  const run = {
    handler: 'welcome',
    eventId: 'msg_2Lh9KRbYdEfGhIjKlMnOpQr0001',
    ending: 'retrying',
    ms: 12,
    attempt: 1,
    error: 'Error: connect ECONNREFUSED 127.0.0.1:25\n    at x',
    retryInSeconds: 4.2,
  } as const satisfies TriedRun

  it.each([80, 100, 200])('names its event and what went wrong, at %i columns', (columns) => {
    const lines = runLines(run, penOf(columns), NOW)
    const text = lines.map((line) => line.trim()).join(' ')
    expect(text).toContain('msg_2Lh9KRbYdEfGhIjKlMnOpQr0001')
    expect(text.replace(/ +/g, ' ')).toContain('again in 5 s: Error: connect ECONNREFUSED 127.0.0.1:25')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
  })
})

describe('the line of a notice', () => {
  it('says whom it is about, and nothing that a terminal would obey', () => {
    const fields = { handlers: ['syncCrm'], ms: 9012, cause: undefined }
    expect(noticeLine('the event loop was blocked', fields, penOf(140))).toBe(
      '  ! the event loop was blocked  handlers=["syncCrm"] ms=9012',
    )
    expect(noticeLine('the engine has a problem', { cause: 'no\u001b[2J' }, penOf(140))).toBe(
      '  ! the engine has a problem  cause=no\\u001b[2J',
    )
    expect(noticeLine('stopping', {}, penOf(140))).toBe('  ! stopping')
  })
})
