import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { CliProcess, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const folder = temporaryFolder()
const INDEX = new URL('../../src/index.ts', import.meta.url).href

it('lives with nothing configured, until Ctrl-C', async () => {
  const cwd = await folder()
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined }
  const cli = new CliProcess(['dev', '--json', '--rate', '20/s'], { cwd, env })
  await cli.until(/"outcome":"applied"/)
  expect(jsonLines(cli.stdout.slice(0, cli.stdout.indexOf('\n')))[0]).toMatchObject({
    type: 'ready',
    simulated: true,
    database: { kind: 'embedded', name: join(cwd, '.clerk-sync/dev') },
  })
  const { signal, stderr } = await cli.stop('SIGINT')
  expect([signal, stderr]).toEqual(['SIGINT', ''])
}, 60_000)

it('does not forward what the app could not verify', async () => {
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined }
  const finished = await runCli(['dev', '--forward-to', 'http://localhost:9'], { cwd: await folder(), env })
  expect(finished).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('secret_missing') })
})

describeWithPostgres('dev with a secret', (url) => {
  const database = postgresDatabase(url)
  const environment = async () => ({
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
  })

  it('runs handlers and forwards the same bytes and headers, but no forgery', async () => {
    const cwd = await folder()
    await writeFile(
      join(cwd, 'clerk-sync.config.mjs'),
      `import { defineConfig, on } from '${INDEX}'
export default defineConfig({ handlers: [on('user.created', async () => {}, { name: 'welcome' })] })`,
    )
    const got: { headers: NodeJS.Dict<string | string[]>; body: string }[] = []
    const app = createServer(async (request, response) => {
      got.push({ headers: request.headers, body: (await buffer(request)).toString() })
      response.writeHead(got.length === 1 ? 200 : 404).end()
    })
    await once(app.listen(0, '127.0.0.1'), 'listening')
    const route = `http://127.0.0.1:${(app.address() as AddressInfo).port}/hook`
    const cli = new CliProcess(['dev', '--json', '--forward-to', route], { cwd, env: await environment() })
    await cli.until(/"type":"ready"/)

    const body = JSON.stringify(eventOf('user.created'), null, 2)
    const signed = sign(body)
    const post = (headers: Record<string, string>) => fetch(cli.url, { method: 'POST', headers, body })
    expect((await post({ ...signed.headers, 'user-agent': 'Svix-Webhooks/1' })).status).toBe(200)
    await cli.until(/"type":"delivery"/)
    await cli.until(/"handler":"welcome"/)
    const forged = sign(body, { secret: `whsec_${btoa('not the right secret at all')}` })
    expect((await post(forged.headers)).status).toBe(400)
    const second = sign(body)
    expect((await post(second.headers)).status).toBe(200)
    await cli.until(/"status":404/)

    expect(got.map(({ headers }) => headers['svix-id'])).toEqual([signed.id, second.id])
    expect(got[0]?.headers).toMatchObject({ ...signed.headers, 'user-agent': 'Svix-Webhooks/1' })
    expect(got[0]?.body).toBe(body)
    const answers = jsonLines(cli.stdout).filter(({ type }) => type === 'delivery')
    expect(answers).toMatchObject([{ status: 200 }, { status: 404, error: { code: 'route_not_found' } }])
    expect(cli.stdout).not.toContain(SECRET)
    expect((await cli.stop()).code).toBe(0)
    app.close()
  }, 60_000)
})
