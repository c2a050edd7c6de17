import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Webhook } from 'svix'
import { describe, expect, it } from 'vitest'
import { callCli, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'

describe('the command line', () => {
  const folder = temporaryFolder()
  const run = async (args: string[], env: Record<string, string | undefined> = {}) =>
    callCli(args, { cwd: await folder(), env })

  it.each([
    [['--help']],
    [['help']],
    [['help', 'migrate']],
    [['start', '--help']],
    [['events', '--help']],
    [['events', 'list', '--help']],
    [['events', 'show', '--help']],
    [['events', 'replay', '--help']],
    [['trigger', '--help']],
    [['config', '--help']],
    [['doctor', '--help']],
    [['explain', '--help']],
    [['schema', '--help']],
    [['completion', '--help']],
    [['handlers', '--help']],
    [['failures', '--help']],
    [['backfill', '--help']],
    [['reconcile', '--help']],
    [['status', '--help']],
    [['init', '--help']],
    [['dev', '--help']],
  ])('starts the help of %j with examples', async (args) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Examples:\n {2}# .+\n {2}(source <\()?clerk-sync /)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('loads no database driver to show its help', async () => {
    const { stderr } = await runCli(['--help'], { cwd: await folder(), env: { NODE_DEBUG: 'esm' } })
    expect(stderr).toContain('node_modules/commander/')
    expect(stderr).not.toMatch(/node_modules\/(kysely|pg|@electric-sql)\//)
  })

  it('shows its version', async () => {
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  it('shows its help and fails when no command is given', async () => {
    const { code, stdout, stderr } = await run([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Commands:')
  })

  it.each([
    ['a command', ['strat'], 'unknown command', 'Did you mean start?'],
    ['an option', ['start', '--prot', '1'], 'unknown option', 'Did you mean --port?'],
    ['an event type', ['trigger', 'user.craeted'], 'no event type', 'Did you mean user.created?'],
    ['a port', ['start', '--port', '70000'], '0 to 65535', ''],
    ['an outcome', ['events', 'list', '--outcome', 'lost'], 'applied, stale', ''],
    ['a time', ['events', 'list', '--since', 'yesterday'], '2026-11-01T09:30', ''],
    ['an address', ['trigger', 'user.created', '--to', 'localhost:3000'], 'http://localhost:3000', ''],
  ])('exits with 2 for %s that it does not know', async (_, args, fact, remedy) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^✗ usage\n/)
    expect(stderr.replace(/\s+/g, ' ')).toContain(fact)
    expect(stderr).toContain(remedy)
  })

  it('gives errors as JSON with --json, wherever it stands', async () => {
    for (const args of [
      ['start', '--prot', '--json'],
      ['--json', 'start', '--prot'],
    ]) {
      const { code, stderr } = await run(args)
      expect(code).toBe(2)
      expect(jsonLines(stderr)).toEqual([
        { error: { code: 'usage', message: "unknown option '--prot'", remedy: 'Did you mean --port?' } },
      ])
    }
  })

  it.each([
    [{ FORCE_COLOR: '1' }, [], true],
    [{}, [], false],
    [{ CI: 'true' }, [], false],
    [{ FORCE_COLOR: '1' }, ['--no-color'], false],
    [{ NO_COLOR: '1' }, [], false],
  ])('with %j and %j colours: see the last value', async (env, args, isColoured) => {
    const { stderr } = await run(['strat', ...args], env)
    expect(stderr.includes('\u001b[')).toBe(isColoured)
  })

  it.each([{ LC_ALL: 'C' }, { LANG: 'en_US.ISO-8859-1' }, { TERM: 'dumb' }])(
    'keeps to ASCII with %j',
    async (env) => {
      const { stderr } = await run(['trigger', 'user.created'], {
        CLERK_WEBHOOK_SIGNING_SECRET: undefined,
        ...env,
      })
      expect(stderr).toContain('ERR secret_missing')
      expect(stderr).toMatch(/^[\n -~]*$/)
    },
  )
})

describe('the environment', () => {
  const folder = temporaryFolder()
  const A = 'whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFi'
  const B = 'whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJj'

  /** A signed request shows what was read. */
  const printed = async (env: Record<string, string | undefined>) => {
    const cwd = await folder()
    const finished = await callCli(['trigger', 'user.created', '--print', '--json'], { cwd, env })
    return {
      ...finished,
      request: jsonLines(finished.stdout)[0] as { url: string; headers: object; body: string },
    }
  }
  const isSignedWith = (secret: string, { headers, body }: { headers: object; body: string }) => {
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>)
      return true
    } catch {
      return false
    }
  }

  it('is read from .env.local, then from .env, and what is set wins', async () => {
    const cwd = await folder()
    await writeFile(join(cwd, '.env.local'), `\uFEFFCLERK_WEBHOOK_SIGNING_SECRET="${A}"\nEMPTY=\n`)
    await writeFile(join(cwd, '.env'), `export CLERK_WEBHOOK_SIGNING_SECRET=${B}\nPORT=5001\n`)
    const fromFiles = await printed({ CLERK_WEBHOOK_SIGNING_SECRET: undefined })
    expect(isSignedWith(A, fromFiles.request)).toBe(true)
    expect(fromFiles.request.url).toBe('http://localhost:5001/api/webhooks/clerk')
    const fromEnvironment = await printed({ CLERK_WEBHOOK_SIGNING_SECRET: `${B},${A}`, PORT: '5002' })
    expect(isSignedWith(B, fromEnvironment.request)).toBe(true)
    expect(isSignedWith(A, fromEnvironment.request)).toBe(false)
    expect(fromEnvironment.request.url).toBe('http://localhost:5002/api/webhooks/clerk')
  })

  it('may have the secret under its old name, with a warning', async () => {
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SECRET: A }
    const { code, stdout, stderr } = await callCli(['trigger', 'user.created', '--print'], {
      cwd: await folder(),
      env,
    })
    expect([code, stdout.slice(0, 7)]).toEqual([0, 'curl -i'])
    expect(stderr).toContain('CLERK_WEBHOOK_SIGNING_SECRET')
  })
})
