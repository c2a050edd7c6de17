import { createNextHandler } from '../../../../../src/adapters/next.ts'
import { syncUnderTest } from '../../sync.ts'

const handler = createNextHandler(syncUnderTest)

// Next itself answers the methods that a route does not export; here the adapter's own answer is wanted.
export {
  handler as DELETE,
  handler as GET,
  handler as OPTIONS,
  handler as PATCH,
  handler as POST,
  handler as PUT,
}
