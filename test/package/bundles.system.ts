import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createClerkSync } from '../../src/index.ts'
import { describeWithPostgres, dropSchema, SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a serverless function imports: each subpath of the package, as its source. */
const entries = Object.values(manifest.exports)
  .filter((path) => path.endsWith('.js') && !/\/(testing|dashboard)\//.test(path))
  .map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))

/** What belongs to development and to servers. */
const FOREIGN =
  /@electric-sql\/pglite|node_modules\/(commander|picocolors)\/|^src\/(cli|middleware|scaffold|server|simulation|testing|tunnel|dashboard)\//

function bundle(contents: string) {
  return build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Nest requires its optional packages by their names, which an app that has none of them leaves out of its bundle.
    external: ['pg-native', '@nestjs/*'],
    logLevel: 'silent',
    metafile: true,
    write: false,
  })
}

describe('a bundle for a serverless function', () => {
  it('is judged for every subpath', () => {
    expect(entries).toEqual(expect.arrayContaining(['src/index.ts', 'src/adapters/next.ts']))
    expect(entries.length).toBeGreaterThanOrEqual(6)
  })

  it.each(entries)(
    'of %s has no embedded database, command line, server or test tool in it',
    async (entry) => {
      const { metafile } = await bundle(`export * from './${entry}'`)
      const inputs = Object.keys(metafile.inputs)
      expect(inputs).toContain(entry)
      expect(inputs.filter((path) => FOREIGN.test(path))).toEqual([])
    },
  )

  it('would be caught with them', async () => {
    const { metafile } = await bundle(`import '@electric-sql/pglite'; import './src/cli/program.ts'`)
    const found = Object.keys(metafile.inputs).filter((path) => FOREIGN.test(path))
    expect(found.join()).toMatch(/pglite.*commander.*src\/cli/)
  })
})

const run = promisify(execFile)

describeWithPostgres('a bundled function, alone in its folder', (url) => {
  const schema = `test_${randomBytes(6).toString('hex')}`
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clerk-sync-bundle-'))
    const { headers, body } = sign(eventOf('user.created'))
    const request = JSON.stringify({ method: 'POST', headers, body })
    const { outputFiles } = await bundle(`
      import { POST } from './src/adapters/next.ts'
      const response = POST(new Request('https://test/', ${request}))
      // Idle connections would keep the process; a serverless function is stopped.
      response.then(async (response) => console.log(response.status, await response.text())).then(process.exit)`)
    await writeFile(join(folder, 'function.cjs'), outputFiles[0]?.text ?? '')
    await using sync = createClerkSync({ signingSecret: SECRET, database: url, schema })
    await sync.migrate()
  })
  afterAll(async () => {
    await dropSchema(url, schema)
    await rm(folder, { recursive: true })
  })

  const invoke = async (env: Record<string, string>) => {
    const { stdout, stderr } = await run(process.execPath, ['function.cjs'], {
      cwd: folder,
      env: { CLERK_WEBHOOK_SIGNING_SECRET: SECRET, CLERK_SYNC_SCHEMA: schema, ...env },
    })
    return { stdout, stderr }
  }

  it('applies a delivery', async () => {
    expect(await invoke({ DATABASE_URL: url })).toEqual({ stdout: '200 {"ok":true}\n', stderr: '' })
  })

  it('says that it has no embedded database', async () => {
    const { stdout, stderr } = await invoke({})
    expect(stdout).toMatch(/^500 \{"error":"embedded_unavailable","ref":"rej_\w+"\}\n$/)
    expect(stderr).toContain('Set DATABASE_URL to a Postgres')
  })
})
