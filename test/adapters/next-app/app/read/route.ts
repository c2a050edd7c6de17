import { createNextHandler } from '../../../../../src/adapters/next.ts'
import { syncUnderTest } from '../../sync.ts'

const handler = createNextHandler(syncUnderTest)

export async function POST(request: Request): Promise<Response> {
  await request.json()
  return handler(request)
}
