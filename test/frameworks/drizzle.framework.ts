/** What drizzle-kit plans for an app that uses the tables: its own tables, a foreign key to ours, and nothing else. */

import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'

const run = promisify(execFile)
const cwd = fileURLToPath(new URL('drizzle', import.meta.url))
const generate = () => run(join(cwd, 'node_modules/.bin/drizzle-kit'), ['generate'], { cwd })

beforeAll(async () => {
  await rm(join(cwd, 'out'), { recursive: true, force: true })
  const { stdout } = await runCli(['schema', '--drizzle'], { cwd })
  await writeFile(join(cwd, 'src/clerk.ts'), stdout)
})

it('creates no table of clerk-sync, and refers to one', async () => {
  await generate()
  const [migration = ''] = globSync('out/*.sql', { cwd })
  const text = await readFile(join(cwd, migration), 'utf8')
  expect(text.match(/CREATE TABLE "\w+"/g)).toEqual(['CREATE TABLE "profiles"'])
  expect(text).toContain('REFERENCES "clerk"."users"("id")')
  expect(text).not.toMatch(/CREATE SCHEMA|CREATE TABLE "clerk"/)
})

it('plans nothing the second time', async () => {
  const { stdout } = await generate()
  expect(stdout).toMatch(/No schema changes, nothing to migrate/)
})
