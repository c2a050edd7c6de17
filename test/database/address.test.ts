/** Connection strings as providers and other libraries print them. */

import { expect, it } from 'vitest'
import { readAddress } from '../../src/database/address.ts'

const BASE = 'postgres://user:p%40ss@db.example.com:5432/app'

it.each<[what: string, query: string, address: string, more?: object]>([
  ['nothing', '', ''],
  ['what pg knows', '?sslmode=require&application_name=x', '?sslmode=require&application_name=x'],
  [
    'libpq’s word for the system’s certificates',
    '?sslmode=verify-full&sslrootcert=system',
    '?sslmode=verify-full',
  ],
  ['the same without a mode', '?sslrootcert=system', '?sslmode=verify-full'],
  ['the same with a weaker mode', '?sslmode=require&sslrootcert=system', '?sslmode=verify-full'],
  ['a file of certificates', '?sslrootcert=%2Fca.pem', '?sslrootcert=%2Fca.pem'],
  ['channel binding', '?channel_binding=require', '', { enableChannelBinding: true }],
  ['channel binding that is off', '?channel_binding=disable', ''],
  ['Prisma’s schema', '?schema=public', ''],
  ['Prisma’s pool', '?pgbouncer=true&connection_limit=1&pool_timeout=0&statement_cache_size=0', ''],
])('an address with %s', (_, query, expected, more = {}) => {
  expect(readAddress({ connectionString: BASE + query })).toEqual({
    connectionString: BASE + expected,
    ...more,
  })
})

it('an address that is none is left to pg, and options of others win', () => {
  expect(readAddress({ connectionString: 'host=x' })).toEqual({ connectionString: 'host=x' })
  const options = { connectionString: `${BASE}?channel_binding=require`, enableChannelBinding: false, max: 3 }
  expect(readAddress(options)).toEqual({ connectionString: BASE, enableChannelBinding: false, max: 3 })
})
