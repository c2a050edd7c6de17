import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Webhook } from 'svix'
import { describe, expect, it } from 'vitest'
import { buildPackage } from '../support/built.ts'
import { jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { SECRET } from '../support/databases.ts'

const PACKAGE = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
const OTHER_SECRET = 'whsec_plJ3nmyCDGBKInavdOK15jsl'
const root = temporaryFolder()
let folders = 0

/** A folder of its own with these files. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(await root(), String(folders++))
  await mkdir(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

interface Shown {
  readonly option: string
  readonly value: unknown
  readonly origin: { kind: string; name?: string; envFile?: string }
  readonly instead_of?: readonly object[]
}

/** What `config --json` shows, by option. */
async function showConfig(cwd: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCli(['config', '--json', ...args], { cwd, env })
  expect([code, stderr]).toEqual([0, ''])
  const lines = jsonLines(stdout) as unknown as Shown[]
  return Object.fromEntries(lines.map(({ option, ...rest }) => [option, rest]))
}

describe('the configuration file', () => {
  it('is TypeScript that Node loads as it is, in an app of any module type, without a warning', async () => {
    const config = `import { defineConfig } from ${PACKAGE}
      interface Names { schema: string }
      const names: Names = { schema: 'from_file' }
      export default defineConfig({ ...names, resources: ['users'] } satisfies object)`
    for (const type of [{}, { type: 'module' }, { type: 'commonjs' }]) {
      const cwd = await folderWith({ 'package.json': JSON.stringify(type), 'clerk-sync.config.mts': config })
      expect(await showConfig(cwd)).toMatchObject({
        schema: { value: 'from_file' },
        resources: { value: ['users'] },
      })
    }
    const cwd = await folderWith({ 'package.json': '{}', 'clerk-sync.config.ts': config })
    expect(await showConfig(cwd)).toMatchObject({ schema: { value: 'from_file' } })
  })

  it('may be JavaScript, and may have another name', async () => {
    const cwd = await folderWith({
      'clerk-sync.config.mjs': 'export default { schema: "found" }',
      'other.js': 'module.exports = { schema: "named" }',
    })
    expect(await showConfig(cwd)).toMatchObject({ schema: { value: 'found' } })
    expect(await showConfig(cwd, ['--config', 'other.js'])).toMatchObject({ schema: { value: 'named' } })
    expect(await showConfig(cwd, [], { CLERK_SYNC_CONFIG: './other.js' })).toMatchObject({
      schema: { value: 'named', origin: { kind: 'file', name: './other.js' } },
    })
  })

  it('is named before or after the command', async () => {
    const cwd = await folderWith({ 'a.mjs': 'export default { schema: "named" }' })
    for (const args of [
      ['--config', 'a.mjs', 'config', '--json'],
      ['--config=a.mjs', 'config', '--json'],
      ['config', '--json', '--config', 'a.mjs'],
    ]) {
      expect((await runCli(args, { cwd })).stdout).toContain('"value":"named"')
    }
  })

  it('is where the commands look for what no flag and no variable says', async () => {
    const cwd = await folderWith({
      'clerk-sync.config.ts': `export default { signingSecret: '${OTHER_SECRET}', database: './here', schema: 'x' }`,
    })
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined }
    const triggered = await runCli(['trigger', 'user.created', '--print', '--json'], { cwd, env })
    const [{ headers, body }] = jsonLines(triggered.stdout) as [
      { headers: Record<string, string>; body: string },
    ]
    expect(() => new Webhook(OTHER_SECRET).verify(body, headers)).not.toThrow()
    const listed = await runCli(['events', 'list'], { cwd, env })
    expect(listed.stderr).toContain('embedded_missing')
    expect(listed.stderr).toContain(join(cwd, 'here'))
  })

  it.each([
    ['export enum A { a }', 'config_unloadable', 'use no enum'],
    ['class A { constructor(private a: string) {} }', 'config_unloadable', 'parameter property'],
    [
      'import { a } from "@/lib/a"\nexport default { schema: a }',
      'config_unloadable',
      'no path aliases of tsconfig.json',
    ],
    ['import "./handlers"', 'config_unloadable', 'wants the ending of a file'],
    ['import { defineConfig } from "clerk-sync"', 'config_unloadable', 'npm install clerk-sync'],
    ['export default (', 'config_unloadable', 'has a syntax error: Expression expected, line 1'],
    ['\nthrow new Error("boom")', 'config_unloadable', 'throws Error: boom, line 2'],
    ['throw 3', 'config_unloadable', 'throws number'],
    ['export const schema = "x"', 'config_invalid', 'has no default export'],
    ['export default null', 'config_invalid', 'is null, not options'],
    ['export default () => ({})', 'config_invalid', 'is a function, not options'],
    [
      'export default { scheme: "x" }',
      'config_invalid',
      '"scheme", which is no option; the nearest is schema',
    ],
    ['export default { schema: "" }', 'option_invalid', 'schema must have 1 to 63 bytes'],
  ])('is refused clearly: %j', async (text, code, fact) => {
    const cwd = await folderWith({ 'clerk-sync.config.ts': text })
    const { stdout, stderr, ...finished } = await runCli(['config', '--json'], { cwd })
    expect([finished.code, stdout]).toEqual([1, ''])
    const [{ error }] = jsonLines(stderr) as [{ error: { code: string; message: string } }]
    expect(error).toMatchObject({ code, message: expect.stringContaining(fact) })
  })

  it.each([
    [['--config', 'absent.ts'], 'config_not_found', 'absent.ts'],
    [['--config', 'config.yaml'], 'config_invalid', 'not named *.ts or *.js'],
    [[], 'config_invalid', 'clerk-sync.config.ts and clerk-sync.config.mjs'],
  ])('is refused clearly: %j', async (args, code, fact) => {
    const cwd = await folderWith({
      'config.yaml': 'schema: x',
      'clerk-sync.config.ts': 'export default {}',
      'clerk-sync.config.mjs': 'export default {}',
    })
    const { stderr } = await runCli(['config', ...args], { cwd })
    expect(stderr).toContain(code)
    expect(stderr.replace(/\s+/g, ' ')).toContain(fact)
  })

  it('says which Node it needs where Node cannot read TypeScript', async () => {
    await using built = await buildPackage()
    const cwd = await folderWith({ 'clerk-sync.config.ts': 'export default {}' })
    const old = promisify(execFile)(process.execPath, ['--no-strip-types', built.main, 'config'], { cwd })
    const { stderr } = await old.catch((error) => error)
    expect(stderr.replace(/\s+/g, ' ')).toContain('cannot read TypeScript. Use Node 22.18 or newer')
  }, 180_000)
})

describe('clerk-sync config', () => {
  it('shows where each value is from: flag, then environment and its file, then configuration file, then default', async () => {
    const cwd = await folderWith({
      '.env.local': 'CLERK_SYNC_SCHEMA=from_env_local',
      '.env': 'CLERK_SYNC_SCHEMA=from_env\nCLERK_INSTANCE_ID=ins_1,ins_2',
      'clerk-sync.config.mjs':
        'export default { schema: "from_file", instanceId: "ins_3", maxBodyBytes: 1000 }',
    })
    const file = { kind: 'file', name: 'clerk-sync.config.mjs' }
    const schemaVariable = { kind: 'environment', name: 'CLERK_SYNC_SCHEMA', envFile: '.env.local' }
    expect(await showConfig(cwd)).toMatchObject({
      schema: { value: 'from_env_local', origin: schemaVariable, instead_of: [file] },
      instanceId: { value: ['ins_1', 'ins_2'], origin: { name: 'CLERK_INSTANCE_ID', envFile: '.env' } },
      maxBodyBytes: { value: 1000, origin: file },
      toleranceSeconds: { value: 300, origin: { kind: 'default' } },
    })
    expect(await showConfig(cwd, ['--schema', 'from_flag'])).toMatchObject({
      schema: {
        value: 'from_flag',
        origin: { kind: 'flag', name: '--schema' },
        instead_of: [schemaVariable, file],
      },
    })
    const { stdout } = await runCli(['config'], { cwd, env: { CLERK_SYNC_SCHEMA: 'set' } })
    expect(stdout).toMatch(/^schema +CLERK_SYNC_SCHEMA +set {2}\(instead of clerk-sync\.config\.mjs\)$/m)
    expect(stdout).toMatch(/^toleranceSeconds +default +300$/m)
  })

  it('redacts secrets, and says what is wrong with one', async () => {
    const cwd = await folderWith({})
    const secrets = `${SECRET},whsec_short,sk_test_abcdefghijklmnop`
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: secrets, DATABASE_URL: 'postgres://app:pa%3Ass@db:5432/app' }
    expect(await showConfig(cwd, [], env)).toMatchObject({
      signingSecret: { value: ['whsec_…LaSw', 'secret_bad_base64', 'secret_is_api_key'] },
      database: { value: 'postgres://app:…@db:5432/app' },
    })
  })

  it.each([
    ['a fragment in it', 'postgres://app:#hidden@db.example.com/app'],
    ['a path in it', 'postgres://app:/hidden@db.example.com/app'],
    ['no URL', 'host=db password=hidden dbname=app'],
  ])('redacts an address in which nobody can tell what is the password: %s', async (_, address) => {
    const { database } = await showConfig(await folderWith({}), ['--database', address])
    expect(JSON.stringify(database)).not.toContain('hidden')
  })

  it('shows which instance a secret is bound to, and nothing else of it', async () => {
    const cwd = await folderWith({})
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: `ins_b:${SECRET},ins_a:${OTHER_SECRET}` }
    const shown = await showConfig(cwd, [], env)
    expect(shown.signingSecret?.value).toEqual(['ins_b:whsec_…LaSw', 'ins_a:whsec_…5jsl'])
    expect(shown.instanceId?.value).toEqual(['ins_b', 'ins_a'])
    for (const secret of [SECRET, OTHER_SECRET])
      expect(JSON.stringify(shown)).not.toContain(secret.slice(6, 20))
  })

  it('redacts the options of a pool', async () => {
    const pool = `{ host: 'db', password: 'hidden1', ssl: { key: 'hidden2', ca: 'shown' }, Promise }`
    const cwd = await folderWith({
      'clerk-sync.config.mjs': `export default { database: ${pool} }`,
      'other.mjs': `export default { database: { connectionString: 'postgres://a:hidden3@db/x?sslpassword=hidden4' } }`,
    })
    expect(await showConfig(cwd)).toMatchObject({
      database: {
        value: { host: 'db', password: '…', ssl: { key: '…', ca: 'shown' }, Promise: 'a function' },
      },
    })
    expect(await showConfig(cwd, ['--config', 'other.mjs'])).toMatchObject({
      database: { value: { connectionString: 'postgres://a:…@db/x?sslpassword=…' } },
    })
  })
})
