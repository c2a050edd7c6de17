import { describe, expect, it } from 'vitest'
import type { EventItem } from '../../dashboard/src/api.ts'
import { changesOf, FILTER_NAMES, isFiltered, matches, queryOf, textOf } from '../../dashboard/src/filter.ts'
import { momentOf } from '../../dashboard/src/moment.ts'

const NOW = Date.parse('2026-11-24T14:31:45.500Z')

/** The address that a text in the box leads to. */
function addressOf(text: string): URLSearchParams {
  const address = new URLSearchParams()
  for (const [name, values] of Object.entries(changesOf(text))) {
    for (const value of values ?? []) address.append(name, value)
  }
  return address
}

describe('the box of the filter', () => {
  it.each([
    'type:user.* outcome:failed since:1h',
    'type:user.created type:user.deleted',
    'resourceId:user_2f9aK1',
    'source:backfill id:msg_1',
    '',
  ])('says what it was told: %s', (text) => {
    const said = textOf(addressOf(text))
    expect(said.split(' ').sort()).toEqual(text.split(' ').sort())
    expect(textOf(addressOf(said))).toBe(said)
  })

  it('takes other names for the same, and a bare word for an id of its kind', () => {
    expect(changesOf('status:stale subject:user_1')).toMatchObject({
      outcome: ['stale'],
      resourceId: ['user_1'],
    })
    expect(changesOf('msg_2Qx')).toMatchObject({ id: ['msg_2Qx'] })
    expect(changesOf('org_31b')).toMatchObject({ resourceId: ['org_31b'] })
  })

  it('takes a colon in a word that names nothing for a part of it, and keeps those after the first', () => {
    expect(changesOf('https://evil.example')).toMatchObject({ resourceId: ['https://evil.example'] })
    expect(changesOf('since:2026-11-24T14:00:00Z')).toMatchObject({ since: ['2026-11-24T14:00:00Z'] })
  })

  it('empties what is not written any more', () => {
    expect(Object.keys(changesOf('type:user.created'))).toEqual([...FILTER_NAMES])
    expect(changesOf('type:user.created').outcome).toBeUndefined()
  })
})

describe('the address as a question', () => {
  it('asks for several values where there may be several, and for moments in time', () => {
    const address = new URLSearchParams('outcome=failed&outcome=stale&handler=a&handler=b&since=1h')
    expect(queryOf(address, NOW)).toEqual({
      outcome: ['failed', 'stale'],
      handler: 'a',
      since: '2026-11-24T13:31:00.000Z',
    })
  })

  it('leaves what is no moment to the server, which says what is wrong with it', () => {
    expect(queryOf(new URLSearchParams('since=yesterday'), NOW)).toEqual({ since: 'yesterday' })
  })

  it('is filtered by its own names only', () => {
    expect(isFiltered(new URLSearchParams('tab=payload'))).toBe(false)
    expect(isFiltered(new URLSearchParams('run=failing'))).toBe(true)
  })

  it.each([
    ['90m', '2026-11-24T13:01:00.000Z'],
    ['7d', '2026-11-17T14:31:00.000Z'],
    ['2026-11-24T10:00:00+02:00', '2026-11-24T08:00:00.000Z'],
    ['12345h', undefined],
    ['1w', undefined],
    ['5', undefined],
    ['', undefined],
  ])('takes %s for the moment %s', (text, moment) => {
    expect(momentOf(text, NOW)).toBe(moment)
  })
})

describe('a new event belongs to the list', () => {
  const event = {
    id: 'msg_1',
    type: 'user.updated',
    outcome: 'applied',
    source: 'webhook',
    receivedAt: '2026-11-24T14:00:00.000Z',
    subject: { resource: 'users', id: 'user_1', label: null, detail: null },
  } as unknown as EventItem

  it.each([
    [{}, true],
    [{ type: ['user.*'] }, true],
    [{ type: ['user.created', 'organization.*'] }, false],
    [{ outcome: ['applied'] as const, resource: ['users'] }, true],
    [{ outcome: ['failed'] as const }, false],
    [{ resourceId: 'user_2' }, false],
    [{ id: ['msg_1', 'msg_2'] }, true],
    [{ source: 'backfill' as const }, false],
    [{ until: '2026-11-24T14:00:00.000Z' }, false],
    [{ until: '2026-11-24T14:00:00.001Z' }, true],
  ])('of %j: %s', (filter, isWanted) => {
    expect(matches(event, filter)).toBe(isWanted)
  })

  it('without a type or a resource to none that asks for one', () => {
    const unknown = { ...event, type: null, subject: null } as unknown as EventItem
    expect([matches(unknown, { type: ['user.*'] }), matches(unknown, { resource: ['users'] })]).toEqual([
      false,
      false,
    ])
    expect(matches(unknown, {})).toBe(true)
  })
})
