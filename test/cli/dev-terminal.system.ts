import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { describeOnTerminal, Terminal, type TerminalOptions } from '../support/terminal.ts'

const folder = temporaryFolder()
const INDEX = new URL('../../src/index.ts', import.meta.url).href
const when = (condition: () => boolean | Promise<boolean>) => vi.waitUntil(condition, { timeout: 60_000 })
const FOOTER = /\[s\]end event/
const RULE = /^─+$/

describeOnTerminal('dev on a terminal', () => describeWithPostgres('with Postgres', suite))

function suite(url: string): void {
  const database = postgresDatabase(url)
  let terminal: Terminal
  afterEach(async () => {
    terminal.kill('SIGKILL')
    await terminal.ended
  })

  /** Runs `dev` until it is ready. */
  async function dev(args: readonly string[] = [], options: Partial<TerminalOptions> = {}): Promise<void> {
    const { schema } = await database.location()
    const own = ['dev', '--database', url, '--schema', schema, '--port', '0', ...args]
    terminal = new Terminal(own, { cwd: await folder(), ...options })
    await terminal.until(/ready webhooks=/)
  }

  const simulate = (args: readonly string[] = [], options?: Partial<TerminalOptions>) =>
    dev(['--simulate', ...args], options)

  const footer = () => terminal.screen.slice(-3)
  /** `47 in` */
  const received = () => Number(/(\d+) in/.exec(footer()[1] ?? '')?.[1])
  /** Resolves when what was under way has arrived. */
  const quiet = () =>
    when(async () => {
      const before = received()
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      return received() === before
    })
  const eventLines = () => terminal.scrollback.filter((line) => /✓ applied/.test(line))

  it('keeps counts and keys below a log that scrolls away, each line of it once', async () => {
    await simulate(['--rate', '20/s'], { rows: 20 })
    await terminal.until(FOOTER)
    await when(() => eventLines().length > 60)
    expect(footer()[0]).toMatch(RULE)
    expect(footer()[1]).toMatch(/^ {2}\d+ in · \d+ applied .* p95 \d+ms {3}● live$/)
    expect(footer()[2]).toContain(
      '[s]end event  [r]etry failed  [o]pen  [f]ilter  [p]ause  [c]lear  [?]  [q]uit',
    )
    const lines = terminal.scrollback
    expect(lines.filter((line) => FOOTER.test(line))).toHaveLength(1)
    expect(lines.filter((line) => RULE.test(line))).toHaveLength(1)
    expect(lines.filter((line) => /^ready webhooks=\S+ dashboard=\S+$/.test(line))).toHaveLength(1)
    expect(lines.slice(0, 3).join('')).toContain('dev')
  })

  it('stays three lines when the window becomes narrow, and has only the gist', async () => {
    await simulate(['--rate', '10/s'])
    await terminal.until(FOOTER)
    await terminal.until(/✓ applied/)
    terminal.resize(50, 20)
    await when(() => footer()[2]?.trim() === '[?] [q]uit')
    await when(() => terminal.screen.filter((line) => RULE.test(line)).length === 1)
    expect(footer()[0]).toMatch(/^─{49}$/)
    expect(footer()[1]).toMatch(/^ {2}\d+ in · \d+ applied/)
    const before = eventLines().length
    await when(() => eventLines().length > before + 1)
    const shown = eventLines().at(-1) as string
    expect(shown.length).toBeLessThanOrEqual(50)
    expect(shown).not.toMatch(/ms/)
  })

  it('pauses the traffic, sends one event when it is told to, and goes on', async () => {
    await simulate(['--rate', '20/s'])
    await terminal.until(/✓ applied/)
    terminal.press('p')
    await terminal.until(/● paused/)
    await quiet()
    const before = received()
    terminal.press('s')
    await when(() => received() === before + 1)
    expect(eventLines().at(-1)).toContain('user.created')
    terminal.press('p')
    await when(() => received() > before + 5)
    expect(footer()[1]).toContain('● live')
  })

  it('shows only lines with what was typed, until Esc', async () => {
    await simulate(['--rate', '20/s'])
    await terminal.until(FOOTER)
    terminal.press('f')
    await terminal.until(/Only lines with: _/)
    terminal.press('sms.x\x7fq')
    await terminal.until(/Only lines with: sms\.q_/)
    terminal.press('\x7f\r')
    await terminal.until(/Only lines with "sms\." are shown/)
    const from = () => {
      const at = terminal.scrollback.findIndex((line) => line.includes('Only lines with "sms."'))
      return terminal.scrollback.slice(at + 1).filter((line) => /^\d\d:/.test(line))
    }
    await when(() => from().length > 0)
    expect(from().every((line) => line.includes('sms.'))).toBe(true)
    terminal.press('f')
    await terminal.until(/Only lines with: _/)
    terminal.press('\x1b')
    await terminal.until(/Every line is shown/)
    await when(() => from().some((line) => !line.includes('sms.')))
  }, 120_000)

  it('keeps its footer below what handlers write to the console', async () => {
    const cwd = join(await folder(), 'console')
    await mkdir(cwd)
    await writeFile(
      join(cwd, 'clerk-sync.config.mjs'),
      `import { defineConfig, on } from '${INDEX}'
const talk = async ({ event }) => {
  console.log('hello', event.type)
  process.stdout.write('half a ')
  console.error('from the other stream')
  process.stdout.write('line\\n')
}
export default defineConfig({ handlers: [on('user.created', talk, { name: 'talk' })] })`,
    )
    await simulate(['--rate', '1/m'], { cwd })
    await terminal.until(/hello user\.created/)
    await terminal.until(/^half a line$/m)
    await terminal.until(/^from the other stream$/m)
    const count = (pattern: RegExp) => terminal.scrollback.filter((line) => pattern.test(line)).length
    await when(() => count(RULE) === 1 && count(FOOTER) === 1 && RULE.test(footer()[0] ?? ''))
  })

  it('clears the screen, and keeps its footer', async () => {
    await simulate(['--rate', '1/m'])
    await terminal.until(/✓ applied/)
    terminal.press('p')
    await terminal.until(/● paused/)
    await quiet()
    terminal.press('c')
    await when(() => terminal.screen.filter((line) => line !== '').length <= 4)
    await when(() => footer()[0] !== undefined && RULE.test(footer()[0] as string))
  })

  it('runs a failed handler again, and counts it until it has succeeded', async () => {
    const cwd = join(await folder(), 'retry')
    const fixed = join(cwd, 'fixed')
    await mkdir(cwd)
    await writeFile(
      join(cwd, 'clerk-sync.config.mjs'),
      `import { existsSync } from 'node:fs'
import { defineConfig, on } from '${INDEX}'
const welcome = async () => { if (!existsSync(${JSON.stringify(fixed)})) throw new Error('no mail server') }
export default defineConfig({ handlers: [on('user.created', welcome, { name: 'welcome' })] })`,
    )
    await simulate(['--rate', '1/m'], { cwd, columns: 200 })
    await terminal.until(/welcome .*no mail server/)
    await when(() => /\d+ retrying/.test(footer()[1] ?? ''))
    await writeFile(fixed, '')
    terminal.press('r')
    await terminal.until(/Tried again: \d+ runs?/)
    await terminal.until(/handled +welcome/)
    await when(() => !/retrying/.test(footer()[1] ?? ''))
  })

  it('opens the dashboard with the browser that is named, and explains its keys', async () => {
    const cwd = join(await folder(), 'browser')
    const opened = join(cwd, 'opened')
    const browser = await script(join(cwd, 'browser'), `#!/bin/sh\necho "$1" > ${opened}`)
    await simulate(['--rate', '1/m'], { cwd, env: { BROWSER: browser } })
    await terminal.until(FOOTER)
    terminal.press('o')
    await when(() => existsSync(opened))
    expect(await readFile(opened, 'utf8')).toMatch(/^http:\/\/localhost:\d+\/dashboard\n$/)
    terminal.press('?')
    await terminal.until(/p {3}pause or resume the simulated traffic/)
  })

  it('opens a tunnel with a key for real traffic, and closes it with the same one', async () => {
    const cwd = join(await folder(), 'key')
    await script(join(cwd, 'clerk'), CLERK)
    await dev([], { cwd, env: { PATH: `${cwd}:${process.env.PATH}` } })
    await terminal.until(FOOTER)
    expect(footer()[2]).not.toContain('[p]ause')
    terminal.press('t')
    await terminal.until(/Tunnel +https:\/\/webhooks\.clerk\.com\/in\/c_AbCd123456\//)
    await when(() => footer()[1]?.includes('tunnel open') === true)
    terminal.press('t')
    await terminal.until(/The tunnel is closed/)
    await when(() => footer()[1]?.includes('tunnel open') === false)
  })

  it('says why a key cannot do what it is for, and goes on', async () => {
    await dev([], { env: { PATH: dirname(process.execPath) } })
    await terminal.until(FOOTER)
    terminal.press('t')
    await terminal.until(/✗ tunnel_cli_missing/)
    terminal.press('s')
    await terminal.until(/✓ applied +user\.created/)
  })

  it('dies of SIGINT after Ctrl-C, with a summary, and gives the terminal back', async () => {
    await simulate()
    await terminal.until(/✓ applied/)
    terminal.press('\x03')
    expect(await terminal.ended).toEqual({ code: null, signal: 'SIGINT', state: 'usual' })
    expect(terminal.screen.at(-1)).toMatch(/^ {2}\d+ in · \d+ applied( · \d+ \w+)* · [\d.]+m?s$/)
    expect(terminal.screen.join('\n')).not.toMatch(FOOTER)
  })

  it('ends well with q', async () => {
    await simulate()
    await terminal.until(FOOTER)
    terminal.press('q')
    expect(await terminal.ended).toEqual({ code: 0, signal: null, state: 'usual' })
    expect(terminal.screen.at(-1)).toMatch(/\d+ in/)
  })

  it('ends at once at the second Ctrl-C', async () => {
    const app = createServer(() => undefined)
    await once(app.listen(0, '127.0.0.1'), 'listening')
    await simulate(['--forward-to', `http://127.0.0.1:${(app.address() as AddressInfo).port}`])
    await terminal.until(/✓ applied/)
    terminal.press('\x03')
    await terminal.until(/Stopping/)
    terminal.press('\x03')
    expect(await terminal.ended).toEqual({ code: null, signal: 'SIGINT', state: 'usual' })
    expect(terminal.scrollback.some((line) => /\d+ in · /.test(line))).toBe(false)
    app.closeAllConnections()
    app.close()
  })

  it('only prints on a terminal that can do no more', async () => {
    await simulate([], { env: { TERM: 'dumb' } })
    await terminal.until(/OK +applied/)
    expect(terminal.written).not.toContain('\u001b')
    expect(terminal.written).not.toMatch(FOOTER)
  })

  it('has no colours with NO_COLOR, but its footer', async () => {
    await simulate([], { env: { NO_COLOR: '1' } })
    await terminal.until(FOOTER)
    await terminal.until(/✓ applied/)
    expect(stripColors(terminal.written)).toBe(terminal.written)
  })
}

/** Clerk’s command line, as far as a tunnel without traffic needs it. */
const CLERK = `#!/bin/sh
echo '{"type":"ready","relay_url":"https://webhooks.clerk.com/in/c_AbCd123456/","forward_to":"'$5'"}'
exec sleep 600
`

/** The control sequence that sets colours, which ends with an m. */
function stripColors(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g'), '')
}

async function script(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}
