import { createNextHandler } from '../../../../../src/adapters/next.ts'
import { syncUnderTest } from '../../sync.ts'

export const POST = createNextHandler(syncUnderTest)
