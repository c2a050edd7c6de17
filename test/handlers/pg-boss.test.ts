import { pgBoss } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { engineContract } from './contract.ts'

describeEachDatabase('pg-boss', (database) =>
  engineContract('as an engine', database, () => ({ engine: pgBoss() })),
)
