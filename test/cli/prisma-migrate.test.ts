import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { migrateDiff } from './prisma-engine.ts'

const folder = temporaryFolder()

describeWithPostgres(
  'prisma migrate diff, of an app that uses the models and the header of clerk-sync schema',
  (url) => {
    const database = postgresDatabase(url)
    const client = new pg.Client({ connectionString: url })
    let schema: string
    let app: string
    let diff: (external?: readonly string[]) => Promise<string>

    beforeAll(async () => {
      await database.open()
      schema = (await database.location()).schema
      app = `${schema}_app`
      await client.connect()
      const { stdout } = await callCli(['schema', '--prisma', '--schema', schema], { cwd: await folder() })
      const [, list = ''] = /external: \[(.*)\]/.exec(stdout) ?? []
      const named = [...list.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
      const files = [
        { path: 'schema.prisma', content: appOf(app, schema) },
        {
          path: 'clerk.prisma',
          content: stdout.replace('model ClerkUser {', 'model ClerkUser {\n  profile Profile?'),
        },
      ]
      diff = (external = named) => migrateDiff(url, files, external)
    })
    afterAll(async () => {
      await client.query(`drop schema if exists "${app}" cascade`)
      await client.end()
    })

    it('plans the app’s own table with its foreign key, nothing for the tables of clerk-sync, and then nothing', async () => {
      const plan = await diff()
      expect(plan).toContain(`REFERENCES "${schema}"."users"("id")`)
      expect(plan.match(/^(?:CREATE|DROP|ALTER) \w+ .*$/gm)?.filter((line) => !line.includes(app))).toEqual(
        [],
      )
      expect(plan).not.toMatch(/^DROP/m)
      await client.query(plan)
      expect(await diff()).toMatch(/This is an empty migration/)
    })

    it('would drop a table that the header does not name, so that the header names every one', async () => {
      expect(await diff([])).toContain(`DROP TABLE "${schema}"."events"`)
    })
  },
)

function appOf(app: string, schema: string): string {
  return `datasource db {
  provider = "postgresql"
  schemas = ["${app}", "${schema}"]
}
generator client {
  provider = "prisma-client"
}
model Profile {
  id Int @id
  userId String? @unique
  user ClerkUser? @relation(fields: [userId], references: [id])
  @@schema("${app}")
}
`
}
