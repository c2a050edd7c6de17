/** The search that `.ci/run` makes in the output of the tests. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { secretsOfTests } from '../../scripts/output-secrets.ts'
import { SECRET } from './databases.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/output-secrets.ts', import.meta.url))
const KEY = SECRET.slice('whsec_'.length)

/** Of a command that runs this program. */
async function search(program: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT, process.execPath, '-e', program])
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ])
  return { code, stdout, stderr }
}

it('knows the secrets that tests use', () => {
  const secrets = secretsOfTests()
  expect([...secrets]).toEqual(expect.arrayContaining([KEY, 'a-token-of-many-characters']))
  expect(secrets.size).toBeGreaterThan(5)
})

it.each([
  ['a secret', `a line\n${SECRET}\n`],
  ['a secret without its prefix, in the middle', `x=${KEY}y`],
  ['a secret with a colour inside', `${SECRET.slice(0, 12)}\u001b[31m${SECRET.slice(12)}`],
  ['a link into the portal', `https://app.svix.com/login#key=${Buffer.from(KEY).toString('base64')}`],
  ['a token of the portal', `appsk_${Buffer.from(KEY).toString('hex')}`],
])('fails for %s, which it does not print again', async (_, output) => {
  const { code, stderr } = await search(`process.stdout.write(${JSON.stringify(output)})`)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^A secret was printed, line \d+: /)
  expect(stderr).not.toContain(KEY)
})

it('passes on what holds none, and says how many it looked for', async () => {
  const { code, stdout } = await search(`console.log('Tests 12 passed')`)
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^Tests 12 passed\nThe output holds none of the \d+ secrets/),
  ])
})

it('fails as the command does', async () => {
  expect((await search('process.exit(3)')).code).toBe(3)
})

it('fails, and ends, if the command leaves a process behind', async () => {
  const { code, stderr, stdout } = await search(`
    const left = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit', detached: true })
    left.unref()
    console.log(left.pid)`)
  process.kill(Number.parseInt(stdout, 10))
  expect([code, stderr]).toEqual([1, expect.stringContaining('still running')])
})
