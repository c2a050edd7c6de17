import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { type CliProcess, callCli, jsonLines, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { renderShape, shapeOf } from '../support/json-shape.ts'

const CONFIG = fileURLToPath(new URL('../cli/handlers-config.ts', import.meta.url))

const INTRODUCTION = `# JSON of the command line

Every command takes \`--json\`: it prints one JSON object per line to standard output, and nothing for people. Times are ISO 8601
in UTC, durations are in milliseconds. Exit codes are 0 for success, 1 for a failure, 2 for a wrong command line, 3 for problems
that were found.

A field with \`?\` is left out where it does not apply. New fields may be added in a minor version; none of these is removed or
changes its type before a major one.

This page is read from what the commands print: a test runs each of them and compares.
`

/** Their keys are names of tables, kinds, codes or fields. */
const MAPS =
  /(^|\.)(resources|forgotten|rows|texts|kinds|causes|fields|headers|outcomes|metadata|changes|reasons)$/

describeWithPostgres('docs/json.md', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  const clerk = createSimulatedClerk({ seed: 5 })
  let api: BackendApi
  let server: CliProcess

  const environment = async () => ({
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
    CLERK_SYNC_CONFIG: CONFIG,
    CLERK_SECRET_KEY: api.secretKey,
    CLERK_API_URL: api.url,
  })

  const records = async (...args: string[]) => {
    const { stdout } = await callCli([...args, '--json'], { cwd: await folder(), env: await environment() })
    return jsonLines(stdout)
  }

  beforeAll(async () => {
    for (let action = 0; action < 30; action++) clerk.act()
    api = await startBackendApi(clerk)
    await database.open()
    server = await startCli(['--json', '--reconcile-every', 'off'], {
      cwd: await folder(),
      env: await environment(),
    })
  })
  afterAll(async () => {
    await server.stop()
    await api.close()
  })

  /** The records of a command, by what each is. */
  async function collect(): Promise<Map<string, Record<string, unknown>[]>> {
    const { url: route } = server
    const found = new Map<string, Record<string, unknown>[]>()
    const keep = (name: string, lines: Record<string, unknown>[]) =>
      found.set(name, [...(found.get(name) ?? []), ...lines])
    keep('trigger', await records('trigger', 'user.created', 'user.updated', '--to', route))
    keep('trigger', await records('trigger', 'user.created', '--forge', '--to', `${route}/nowhere`))
    keep('trigger', await records('trigger', 'user.created', '--forge', '--to', route))
    keep('trigger --print', await records('trigger', 'user.created', '--print'))
    await server.until(/"type":"handler"[^\n]*"ending":"dead"/)
    await server.until(/"type":"handler"[^\n]*"ending":"handled"/)
    const events = await records('events', 'list')
    keep('events list', events)
    for (const { id } of events) keep('events show', await records('events', 'show', id as string))
    keep('events replay', await records('events', 'replay', '--all', '--yes'))
    keep('failures list', await records('failures', 'list'))
    keep('failures retry', await records('failures', 'retry', '--all', '--yes', '--rate', '100'))
    keep('failures retry --dry-run', await records('failures', 'retry', '--all', '--dry-run'))
    keep('handlers list', await records('handlers', 'list'))
    keep('handlers pause', await records('handlers', 'pause', 'mail', '--reason', 'mail server'))
    keep('handlers list', await records('handlers', 'list'))
    keep('backfill', await records('backfill', 'users', 'sessions'))
    clerk.act('updateUser')
    clerk.advanceTo(clerk.now + 5_000)
    keep('reconcile', await records('reconcile', '--dry-run', 'users'))
    keep('reconcile', await records('reconcile', 'users'))
    keep('status', await records('status'))
    keep('doctor', await records('doctor', '--offline'))
    keep('maintain', await records('maintain', '--dry-run'))
    const user = String(events[0]?.resource_id)
    keep('erase', await records('erase', user, '--dry-run'))
    keep('migrate', await records('migrate'))
    keep('migrate --check', await records('migrate', '--check'))
    keep('config', await records('config'))
    keep('explain', await records('explain'))
    keep('schema', await records('schema', '--sql'))
    const { stdout } = await server.stop()
    // A busy machine makes it warn.
    keep(
      'start',
      jsonLines(stdout).filter(({ type }) => type !== 'log'),
    )
    found.delete('handlers pause')
    return found
  }

  it('is what the commands print; else run `npx vitest run test/docs/json-page.test.ts -u`', async () => {
    const sections = [...(await collect())].map(([command, lines]) => {
      const byType = Map.groupBy(lines, ({ type }) =>
        typeof type === 'string' && !type.includes('.') ? type : '',
      )
      const types = [...byType].map(([type, each]) => {
        const shape = renderShape(shapeOf(each, (path) => MAPS.test(path)))
        const text = type === '' ? shape : shape.replace('type: string', `type: '${type}'`)
        return `\`\`\`ts\ntype Line = ${text}\n\`\`\`\n`
      })
      return `## clerk-sync ${command}\n\n${types.join('\n')}`
    })
    const { stderr } = await callCli(['explain', 'nothing', '--json'], { cwd: await folder() })
    const error = renderShape(shapeOf(jsonLines(stderr), () => false))
    const errors = `## Errors\n\nA command that fails prints this to standard error; \`clerk-sync explain CODE\` tells more.\n\n\`\`\`ts\ntype Failure = ${error}\n\`\`\`\n`
    const page = `${[INTRODUCTION, ...sections, errors].join('\n')}`
    await expect(page).toMatchFileSnapshot('../../docs/json.md')
  })
})
