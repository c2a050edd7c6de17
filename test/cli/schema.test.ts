import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import prisma from '@prisma/prisma-schema-wasm'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CATALOGUE, CHILD_SETS } from '../../src/clerk/catalogue.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const run = promisify(execFile)
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const TABLES = Object.keys({ ...CATALOGUE, ...CHILD_SETS })
const folder = temporaryFolder()

async function print(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await callCli(['schema', ...args], { cwd: await folder() })
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    types: [],
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
  },
}

/** A project of TypeScript with these files, that has been compiled without a complaint. */
async function compile(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const project = join(await folder(), name)
  await mkdir(project)
  await symlink(MODULES, join(project, 'node_modules'))
  const all = { ...files, 'package.json': '{"type":"module"}', 'tsconfig.json': JSON.stringify(TSCONFIG) }
  for (const [file, text] of Object.entries(all)) await writeFile(join(project, file), text)
  const compiled = run(join(MODULES, '.bin/tsc'), ['-p', project])
  expect(
    await compiled.then(
      () => '',
      ({ stdout }) => stdout,
    ),
  ).toBe('')
  return project
}

describe('clerk-sync schema', () => {
  it('wants one format', async () => {
    for (const args of [[], ['--sql', '--prisma']]) {
      expect(await callCli(['schema', ...args], { cwd: await folder() })).toMatchObject({
        code: 2,
        stdout: '',
      })
    }
    const [record] = jsonLines(await print('--sql', '--json', '--schema', 'other'))
    expect(record).toMatchObject({
      format: 'sql',
      schema: 'other',
      text: expect.stringContaining('"other".users'),
    })
  })

  it.each(['clerk', 'public'])(
    'gives Prisma models that its own engine takes, in schema %s',
    async (schema) => {
      const models = await print('--prisma', '--schema', schema)
      const datasource = `datasource db {\n  provider = "postgresql"\n  schemas = ["app", "${schema}"]\n}\n`
      const files = [
        ['schema.prisma', `${datasource}generator client {\n  provider = "prisma-client"\n}\n${models}`],
      ]
      const wanted = { prismaSchema: files, noColor: true }
      expect(() => prisma.validate(JSON.stringify(wanted))).not.toThrow()
      const { datamodel } = JSON.parse(prisma.get_dmmf(JSON.stringify(wanted)))
      const names = datamodel.models.map(({ dbName }: { dbName: string }) => dbName)
      expect(names.sort()).toEqual([...TABLES].sort())
      const broken = [['schema.prisma', files[0]?.[1]?.replace('String @id', 'Strin @id')]]
      expect(() => prisma.validate(JSON.stringify({ ...wanted, prismaSchema: broken }))).toThrow()
    },
  )

  it('gives Drizzle tables in schema public too, which compile', async () => {
    await compile('drizzle-public', { 'schema.ts': await print('--drizzle', '--schema', 'public') })
  })
})

describeWithPostgres('what clerk-sync schema prints, on Postgres', (url) => {
  const database = postgresDatabase(url)
  const client = new pg.Client({ connectionString: url })
  let schema: string

  beforeAll(async () => {
    const sync = await database.open()
    schema = (await database.location()).schema
    await deliver(sync, eventOf('user.created', { id: 'user_ada', first_name: 'Ada' }))
    await client.connect()
  })
  afterAll(async () => {
    await client.query(`drop schema if exists "${schema}_sql" cascade`)
    await client.end()
  })

  const columnsOf = async (name: string) => {
    const { rows } = await client.query(
      `select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
       where table_schema = $1 and table_name = any($2) order by 1, 2`,
      [name, TABLES],
    )
    return rows
  }

  it('makes, as SQL, the tables that the migrations make', async () => {
    await client.query(await print('--sql', '--schema', `${schema}_sql`))
    const columns = await columnsOf(`${schema}_sql`)
    expect(columns).toEqual(await columnsOf(schema))
    expect(new Set(columns.map(({ table_name }) => table_name))).toEqual(new Set(TABLES))
  })

  const prelude = `import pg from 'pg'\nconst pool = new pg.Pool({ connectionString: ${JSON.stringify(url)} })\n`

  it('reads rows through Drizzle', async () => {
    const script = `// @ts-ignore: pg has no types of its own
${prelude}import { drizzle } from 'drizzle-orm/node-postgres'
import { eq } from 'drizzle-orm'
import { emailAddresses, users } from './schema.ts'
import * as schema from './schema.ts'
const rows = await drizzle(pool)
  .select({ firstName: users.firstName, createdAt: users.clerkCreatedAt, email: emailAddresses.emailAddress })
  .from(users).leftJoin(emailAddresses, eq(emailAddresses.userId, users.id)).where(eq(users.id, 'user_ada'))
const related = await drizzle(pool, { schema }).query.users.findFirst({ with: { emailAddresses: true, sessions: true } })
const address: string | null | undefined = related?.emailAddresses[0]?.emailAddress
const name: string | null | undefined = rows[0]?.firstName
const at: Date | null | undefined = rows[0]?.createdAt
// @ts-ignore
console.log(JSON.stringify({ name, isDate: at instanceof Date, hasAddress: typeof address === 'string' }))
await pool.end()
`
    const project = await compile('drizzle', {
      'schema.ts': await print('--drizzle', '--schema', schema),
      'query.ts': script,
    })
    const { stdout } = await run(process.execPath, [join(project, 'query.ts')])
    expect(JSON.parse(stdout)).toEqual({ name: 'Ada', isDate: true, hasAddress: true })
  })

  it('reads rows through Kysely', async () => {
    const script = `// @ts-ignore: pg has no types of its own
${prelude}import { Kysely, PostgresDialect } from 'kysely'
import type { Clerk } from './schema.ts'
const db = new Kysely<Clerk>({ dialect: new PostgresDialect({ pool }) })
const row = await db.selectFrom('${schema}.users').select(['first_name', 'synced_at']).where('id', '=', 'user_ada').executeTakeFirstOrThrow()
const name: string | null = row.first_name
const at: Date = row.synced_at
// @ts-expect-error there is no such column
db.selectFrom('${schema}.users').select('firstname')
// @ts-ignore
console.log(JSON.stringify({ name, isDate: at instanceof Date }))
await db.destroy()
`
    const project = await compile('kysely', {
      'schema.ts': await print('--kysely', '--schema', schema),
      'query.ts': script,
    })
    const { stdout } = await run(process.execPath, [join(project, 'query.ts')])
    expect(JSON.parse(stdout)).toEqual({ name: 'Ada', isDate: true })
  })
})
