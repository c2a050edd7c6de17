import { describe, expect, it } from 'vitest'
import { deliveryLine, noticeLine, refusalLine, type TakenDelivery } from '../../src/cli/delivery-log.ts'
import { Pen } from '../../src/cli/output.ts'

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
    const line = deliveryLine(taken(facts), penOf(160), NOW)
    expect(line).toMatch(/^14:02:11 {2}/)
    expect(line).toContain(` ${facts.outcome ?? 'applied'} `)
    expect(line.endsWith(`   8ms  ${detail}`)).toBe(true)
  })

  it('has ids where there is room for them, and never more than the terminal', () => {
    const delivery = taken({ changed: ['first_name', 'last_name', 'image_url'] })
    expect(deliveryLine(delivery, penOf(140), NOW)).toBe(
      '14:02:11  ✓ applied    user.updated                    user_2Lh9KRbYdEfGhIjKlMnOpQrStUv     8ms  first_name, last_name, image_url',
    )
    expect(deliveryLine(delivery, penOf(80), NOW)).toBe(
      '14:02:11  ✓ applied    user.updated                 8ms  first_name, last_name,…',
    )
    expect(deliveryLine(delivery, penOf(50), NOW)).toBe('14:02:11  ✓ applied    user.updated')
    const long = taken({ type: 'subscriptionItem.freeTrialEnding', changed: ['x'.repeat(200)] })
    for (const columns of [40, 50, 59, 60, 80, 100, 101, 140]) {
      expect(deliveryLine(long, penOf(columns), NOW).length).toBeLessThanOrEqual(columns)
    }
  })

  it('escapes what a terminal would obey', () => {
    const line = deliveryLine(
      taken({ type: 'user.\u001b]0;owned\u0007', changed: ['\u202ename'] }),
      penOf(140),
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
    expect(refusalLine(refusal, penOf(140), NOW)).toBe(
      '14:02:11  ⊘ rejected   signature_mismatch              rej_0123456789ab                  No configured secret made it.',
    )
    const outage = { code: 'database_unavailable', status: 503, message: 'Down.' } as const
    expect(refusalLine({ ...refusal, ...outage }, penOf(140), NOW)).toBe(
      '14:02:11  ✗ refused    database_unavailable            rej_0123456789ab                  Down.',
    )
  })

  it('counts those that were not told', () => {
    expect(refusalLine({ ...refusal, again: 41 }, penOf(80), NOW)).toContain('41 more in the last seconds')
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
