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

async function search(output: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT])
  child.stdin.end(output)
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
  const { code, stderr } = await search(output)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^A secret was printed, line \d+: /)
  expect(stderr).not.toContain(KEY)
})

it('passes on what holds none, and says how many it looked for', async () => {
  const { code, stdout } = await search('Tests 12 passed\n')
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^Tests 12 passed\nThe output holds none of the \d+ secrets/),
  ])
})
