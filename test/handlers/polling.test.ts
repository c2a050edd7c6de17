import { polling } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { engineContract } from './contract.ts'

describeEachDatabase('polling', (database) =>
  engineContract('as an engine', database, () => ({ engine: polling({ everyMs: 50 }) })),
)
