import { createNextPagesHandler } from '../../../../../src/adapters/next.ts'
import { syncUnderTest } from '../../sync.ts'

export default createNextPagesHandler(syncUnderTest)
