import { expect, it } from 'vitest'
import { MIGRATION_NAMES } from '../../src/database/migrate.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'

describeWithPostgres('migrate', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  /** Without a secret: a migration job has none. */
  const migrate = async (...args: string[]) => {
    const { schema } = await database.location()
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_WEBHOOK_SIGNING_SECRET: undefined }
    return callCli(['migrate', ...args], { cwd: await folder(), env })
  }

  it('shows what is pending without changing anything, runs it once, and says when there is nothing to do', async () => {
    const pending = await migrate('--check', '--json')
    expect([pending.code, jsonLines(pending.stdout)]).toEqual([3, [{ pending: MIGRATION_NAMES }]])
    const dry = await migrate('--dry-run')
    expect(dry.code).toBe(0)
    expect(dry.stdout).toMatch(/^-- 0001_.*\n[\s\S]*create table users \(/)
    expect((await migrate('--check')).code).toBe(3)

    const ran = await migrate()
    expect(ran).toMatchObject({ code: 0, stdout: `${MIGRATION_NAMES.join('\n')}\n` })
    expect(ran.stderr).toContain(new URL(url).host)
    const upToDate = await migrate('--check')
    expect([upToDate.code, upToDate.stdout]).toEqual([0, ''])
    expect(jsonLines((await migrate('--json')).stdout)).toEqual([{ ran: [] }])
    expect((await migrate('--dry-run')).stdout).toBe('')
  })

  it('does not create an embedded database only to look at it', async () => {
    const { code, stderr } = await migrate('--check', '--database', './nowhere')
    expect(code).toBe(1)
    expect(stderr).toContain('✗ embedded_missing')
  })

  it.each([
    ['in quotes', '"postgres://app:hunter2@localhost/app"'],
    ['without a protocol', 'localhost:5432/hunter2'],
    ['in the form of libpq', 'host=localhost password=hunter2 dbname=app'],
  ])('takes no mistaken address for a folder: one %s', async (_, address) => {
    const { code, stderr } = await migrate('--database', address)
    expect(code).toBe(1)
    expect(stderr).toContain('✗ option_invalid')
    expect(stderr).not.toContain('hunter2')
  })

  it('refuses an address that is none', async () => {
    const { code, stderr } = await migrate('--database', 'mysql://app:hunter2@localhost/app')
    expect(code).toBe(1)
    expect(stderr).toContain('✗ option_invalid')
    expect(stderr).not.toContain('hunter2')
  })
})
