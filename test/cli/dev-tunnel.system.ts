import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { CliProcess, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const folder = temporaryFolder()

/**
 * Clerk’s command line, as far as `webhooks listen --json` goes: a relay with an address of its own, which delivers to
 * `--forward-to` with Svix’s headers and tells of it.
 */
const CLERK = `#!${process.execPath}
const { createServer } = require('node:http')
const { buffer } = require('node:stream/consumers')
const [group, command, ...options] = process.argv.slice(2)
if (group !== 'webhooks' || command !== 'listen' || !options.includes('--json')) process.exit(2)
const forwardTo = options[options.indexOf('--forward-to') + 1]
const tell = (line) => console.log(JSON.stringify(line))
const relay = createServer(async (request, response) => {
  const body = await buffer(request)
  const own = Object.entries(request.headers).filter(([name]) => name.startsWith('svix-'))
  const headers = Object.fromEntries(own)
  const answer = await fetch(forwardTo, { method: 'POST', headers, body })
  tell({ type: 'event', svix_id: headers['svix-id'], headers, body_b64: body.toString('base64'), forward_status: answer.status })
  response.writeHead(answer.status).end()
  if (request.url === '/end') process.exit(1)
})
relay.listen(0, '127.0.0.1', () => {
  tell({ type: 'reconnecting' })
  tell({ type: 'ready', relay_url: 'http://127.0.0.1:' + relay.address().port + '/in/c_AbCd123456/', forward_to: forwardTo })
})
process.on('SIGINT', () => process.exit(130))
`

/** ngrok’s library, as far as it is used: its tunnel is a proxy on this machine. */
const NGROK = `
const { createServer, request } = require('node:http')
exports.forward = async ({ addr, authtoken_from_env }) => {
  if (authtoken_from_env !== true || process.env.NGROK_AUTHTOKEN !== 'the-token') throw new Error('ERR_NGROK_105 bad token')
  const [hostname, port] = addr.split(':')
  const proxy = createServer((incoming, outgoing) => {
    const options = { hostname, port, path: incoming.url, method: incoming.method }
    const headers = { ...incoming.headers, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }
    const onward = request({ ...options, headers }, (answer) => answer.pipe(outgoing.writeHead(answer.statusCode)))
    incoming.pipe(onward)
  })
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = 'http://127.0.0.1:' + proxy.address().port
  return { url: () => url, close: async () => { proxy.closeAllConnections(); proxy.close() } }
}
`

async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const cwd = await mkdtemp(join(await folder(), 'project-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true })
    await writeFile(join(cwd, path), text)
    await chmod(join(cwd, path), 0o755)
  }
  return cwd
}

describeWithPostgres('dev with a tunnel', (url) => {
  const database = postgresDatabase(url)
  const environment = async (more: object) => ({
    PORT: '0',
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
    ...more,
  })

  /** Starts it and resolves to the address of the tunnel. */
  async function open(kind: string, cwd: string, env: object): Promise<[CliProcess, string]> {
    const cli = new CliProcess(['dev', '--json', '--tunnel', kind], { cwd, env: await environment(env) })
    await cli.until(/"type":"tunnel"/)
    const tunnel = jsonLines(cli.stdout).find(({ type }) => type === 'tunnel')
    expect(tunnel).toMatchObject({ kind })
    return [cli, tunnel?.url as string]
  }

  async function fail(kind: string, cwd: string, env: object) {
    const { code, stderr } = await runCli(['dev', '--json', '--tunnel', kind], {
      cwd,
      env: await environment(env),
    })
    expect(code).toBe(1)
    return jsonLines(stderr).at(-1)?.error
  }

  it('takes what comes through the relay of Clerk’s command line, and ends the relay', async () => {
    const cwd = await project({ 'bin/clerk': CLERK })
    const [cli, tunnel] = await open('clerk', cwd, { PATH: join(cwd, 'bin') })
    expect(tunnel).toMatch(/\/in\/c_AbCd123456\/$/)
    const { id, headers, body } = sign(eventOf('user.created'))
    expect((await fetch(tunnel, { method: 'POST', headers, body })).status).toBe(200)
    const { code, stdout } = await cli.stop()
    expect(code).toBe(0)
    expect(jsonLines(stdout)).toContainEqual(expect.objectContaining({ type: 'event', svix_id: id }))
    await expect(fetch(tunnel)).rejects.toThrow('fetch failed')
  })

  it('says when the relay has ended by itself', async () => {
    const cwd = await project({ 'bin/clerk': CLERK })
    const [cli, tunnel] = await open('clerk', cwd, { PATH: join(cwd, 'bin') })
    const { headers, body } = sign(eventOf('user.created'))
    await fetch(new URL('/end', tunnel), { method: 'POST', headers, body }).catch(() => undefined)
    await cli.until(/"type":"tunnel".*"url":null/)
    expect((await cli.stop()).code).toBe(0)
  })

  it('says how to install Clerk’s command line', async () => {
    const cwd = await project({ 'bin/other': '' })
    expect(await fail('clerk', cwd, { PATH: join(cwd, 'bin') })).toMatchObject({
      code: 'tunnel_cli_missing',
      remedy: expect.stringContaining('npm install --global clerk'),
    })
  })

  it('says what Clerk’s command line says when it cannot', async () => {
    const old = '#!/bin/sh\necho "error: unknown command \'webhooks\'" >&2\nexit 1\n'
    const cwd = await project({ 'bin/clerk': old })
    expect(await fail('clerk', cwd, { PATH: join(cwd, 'bin') })).toMatchObject({
      code: 'tunnel_failed',
      message: expect.stringContaining("unknown command 'webhooks'"),
    })
  })

  const NGROK_PACKAGE = {
    'package.json': '{}',
    'node_modules/@ngrok/ngrok/package.json': '{"name":"@ngrok/ngrok","version":"1.7.0","main":"index.js"}',
    'node_modules/@ngrok/ngrok/index.js': NGROK,
  }

  it('takes what comes through ngrok, which does not open the dashboard to everybody', async () => {
    const cwd = await project(NGROK_PACKAGE)
    const [cli, tunnel] = await open('ngrok', cwd, { NGROK_AUTHTOKEN: 'the-token' })
    expect(new URL(tunnel).pathname).toBe('/api/webhooks/clerk')
    const { headers, body } = sign(eventOf('user.created'))
    expect((await fetch(tunnel, { method: 'POST', headers, body })).status).toBe(200)
    expect((await fetch(new URL('/dashboard/api/session', tunnel))).status).toBe(403)
    expect((await cli.stop()).code).toBe(0)
    await expect(fetch(tunnel)).rejects.toThrow('fetch failed')
  })

  it('says how to install ngrok’s library, and where its token is', async () => {
    const without = await project({ 'package.json': '{}' })
    expect(await fail('ngrok', without, { NGROK_AUTHTOKEN: 'the-token' })).toMatchObject({
      code: 'tunnel_package_missing',
      remedy: expect.stringContaining('npm install --save-dev @ngrok/ngrok'),
    })
    const withIt = await project(NGROK_PACKAGE)
    expect(await fail('ngrok', withIt, {})).toMatchObject({
      code: 'tunnel_token_missing',
      message: expect.stringContaining('NGROK_AUTHTOKEN'),
    })
    expect(await fail('ngrok', withIt, { NGROK_AUTHTOKEN: 'wrong' })).toMatchObject({
      code: 'tunnel_failed',
      message: expect.stringContaining('ERR_NGROK_105'),
    })
  })
})
