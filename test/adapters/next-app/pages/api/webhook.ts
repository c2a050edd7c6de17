import { createNextPagesHandler } from '../../../../../src/adapters/next.ts'
import { syncUnderTest } from '../../sync.ts'

export const config = { api: { bodyParser: false } }
export default createNextPagesHandler(syncUnderTest)
