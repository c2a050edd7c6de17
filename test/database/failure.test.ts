import { describe, expect, it } from 'vitest'
import { failureKind, isOutage, messageOf, toUnavailable } from '../../src/database/failure.ts'
import { ClerkSyncError } from '../../src/index.ts'

/** As `pg` and PGlite throw it. */
const databaseError = (code: string) => Object.assign(new Error(`sql state ${code}`), { code })
const networkError = (code: string) =>
  Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' })

const refusedTwice = Object.assign(
  new AggregateError([networkError('ECONNREFUSED'), new Error('connect ENETUNREACH ::1')]),
  { code: 'ECONNREFUSED' },
)

type Row = [what: string, error: unknown, kind: string, code: string, outage: boolean]

const TABLE: Row[] = [
  ['serialization failure', databaseError('40001'), 'conflict', 'database_unavailable', false],
  ['deadlock', databaseError('40P01'), 'conflict', 'database_unavailable', false],
  ['prepared statement gone', databaseError('26000'), 'conflict', 'database_unavailable', false],
  ['prepared statement there already', databaseError('42P05'), 'conflict', 'database_unavailable', false],
  ['two rows for one', databaseError('21000'), 'rejected', 'database_unavailable', false],
  ['untranslatable character', databaseError('22P05'), 'rejected', 'database_unavailable', false],
  ['not-null violation', databaseError('23502'), 'rejected', 'database_unavailable', false],
  ['unique violation', databaseError('23505'), 'conflict', 'database_unavailable', false],
  ['check violation', databaseError('23514'), 'rejected', 'database_unavailable', false],
  ['index entry too large', databaseError('54000'), 'rejected', 'database_unavailable', false],
  ['raised by a trigger', databaseError('P0001'), 'rejected', 'database_unavailable', false],
  ['no such schema', databaseError('3F000'), 'unavailable', 'database_outdated', false],
  ['no such table', databaseError('42P01'), 'unavailable', 'database_outdated', false],
  ['no such column', databaseError('42703'), 'unavailable', 'database_outdated', false],
  ['table exists already', databaseError('42P07'), 'unavailable', 'database_unavailable', false],
  ['permission denied', databaseError('42501'), 'unavailable', 'database_denied', false],
  ['read-only transaction', databaseError('25006'), 'unavailable', 'database_read_only', true],
  ['aborted transaction', databaseError('25P02'), 'unavailable', 'database_unavailable', false],
  ['statement timeout', databaseError('57014'), 'unavailable', 'database_timeout', true],
  ['lock timeout', databaseError('55P03'), 'conflict', 'database_timeout', true],
  ['idle in transaction for too long', databaseError('25P03'), 'conflict', 'database_timeout', true],
  ['connection failure', databaseError('08006'), 'unavailable', 'database_unavailable', true],
  ['wrong password', databaseError('28P01'), 'unavailable', 'database_unavailable', true],
  ['no such database', databaseError('3D000'), 'unavailable', 'database_unavailable', true],
  ['disk full', databaseError('53100'), 'unavailable', 'database_disk_full', true],
  ['too many connections', databaseError('53300'), 'unavailable', 'database_unavailable', true],
  ['server shuts down', databaseError('57P01'), 'unavailable', 'database_unavailable', true],
  ['server starts up', databaseError('57P03'), 'unavailable', 'database_unavailable', true],
  ['disk error', databaseError('58030'), 'unavailable', 'database_unavailable', true],
  ['internal error', databaseError('XX000'), 'unavailable', 'database_unavailable', false],
  ['connection refused', networkError('ECONNREFUSED'), 'unavailable', 'database_unavailable', true],
  ['connection reset', networkError('ECONNRESET'), 'unavailable', 'database_unavailable', true],
  ['no such host', networkError('ENOTFOUND'), 'unavailable', 'database_unavailable', true],
  // Five letters, as an SQLSTATE has, but no SQLSTATE's class.
  ['broken pipe', networkError('EPIPE'), 'unavailable', 'database_unavailable', true],
  ['several addresses refused', refusedTwice, 'unavailable', 'database_unavailable', true],
  [
    'no free connection',
    new Error('timeout exceeded when trying to connect'),
    'unavailable',
    'database_unavailable',
    true,
  ],
  ['no error at all', 'odd', 'unavailable', 'database_unavailable', true],
  ['nothing', undefined, 'unavailable', 'database_unavailable', true],
]

describe('a failure of the database', () => {
  it.each(TABLE)('of the kind "%s" has its own answer', (_, error, kind, code, outage) => {
    expect(failureKind(error)).toBe(kind)
    expect(toUnavailable(error)).toMatchObject({ code, status: 503, cause: error })
    expect(isOutage(error)).toBe(outage)
  })

  it('that is known already stays what it is', () => {
    const known = new ClerkSyncError('embedded_locked')
    expect(toUnavailable(known)).toBe(known)
  })

  it('to reach several addresses tells of each', () => {
    expect(messageOf(refusedTwice)).toBe('connect ECONNREFUSED; connect ENETUNREACH ::1')
    expect(toUnavailable(refusedTwice).message).toContain('ECONNREFUSED; connect ENETUNREACH')
  })

  it('has a message, whatever was thrown', () => {
    expect(['x', new Error('x'), { toString: () => 'x' }].map(messageOf)).toEqual(['x', 'x', 'x'])
    expect(messageOf(new AggregateError([], 'all of them'))).toBe('all of them')
  })
})
