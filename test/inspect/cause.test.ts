import { expect, it } from 'vitest'
import { causeOf } from '../../src/inspect/cause.ts'

it.each([
  [
    'Error: connect ECONNREFUSED 10.0.3.7:443\n    at syncCrm (crm.ts:1:1)',
    'connection refused (10.0.3.7:443)',
  ],
  ['TypeError: fetch failed', 'fetch failed'],
  [
    "TypeError: Cannot read properties of undefined (reading 'id')",
    "Cannot read properties of undefined (reading 'id')",
  ],
  ['getaddrinfo ENOTFOUND crm.example.com', 'host not found (crm.example.com)'],
  ['Error: read ECONNRESET', 'connection reset'],
  ['HttpError: CRM answered 503.', 'CRM answered 503'],
  ['Error [ERR_X]: no', 'no'],
  ['\n', 'no error message'],
  [null, 'no error message'],
])('says %j in plain words', (error, cause) => {
  expect(causeOf(error)).toBe(cause)
})

it('shortens what is longer than a line', () => {
  expect(causeOf('x'.repeat(500))).toHaveLength(120)
})
