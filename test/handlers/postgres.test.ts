import { postgres } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { engineContract } from './contract.ts'

describeEachDatabase('Postgres itself', (database) =>
  engineContract('as an engine', database, () => ({ engine: postgres() })),
)
