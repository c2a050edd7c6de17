/** The frameworks of docs/frameworks.md, as `init` finds them and writes their routes. */

import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RECIPE_NAMES, RECIPES, type RecipeName } from '../../src/scaffold/recipes.ts'
import { readBlocks } from '../docs/code-blocks.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()

async function appWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const app = await mkdtemp(join(await folder(), 'app-'))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(app, path, '..'), { recursive: true })
    await writeFile(join(app, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return app
}

const manifest = (...names: string[]) => ({
  type: 'module',
  dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
})

async function init(cwd: string) {
  const { code, stdout, stderr } = await callCli(['init', '--yes', '--json'], { cwd })
  expect([code, stderr]).toEqual([0, expect.any(String)])
  return jsonLines(stdout)[0] as {
    framework: string
    files: { path: string; action: string }[]
    paste: string[]
  }
}

const ROUTE = /clerk|\+server/
/** Their platforms hand over Node's request. */
const NODE_LISTENERS = new Set<RecipeName>(['cloud-functions', 'firebase'])
const code = (text: string) => text.replace(/^\/\/.*\n/, '').trim()

describe('an app with the packages of', () => {
  it.each(RECIPE_NAMES.map((name) => [RECIPES[name].name, name] as const))('%s', async (_, name) => {
    for (const each of RECIPES[name].packages) {
      const cwd = await appWith({ 'package.json': manifest(each), 'tsconfig.json': '{}' })
      const { framework, files } = await init(cwd)
      expect(framework).toBe(name)
      const route = files.find(({ path }) => ROUTE.test(path) && !path.startsWith('clerk-sync.config'))
      const text = await readFile(join(cwd, route?.path ?? ''), 'utf8')
      expect(text).toMatch(/clerk-sync\.config/)
      if (!NODE_LISTENERS.has(name)) expect(text).not.toContain('createNodeHandler')
      expect((await init(cwd)).files.map(({ action }) => action)).toEqual(files.map(() => 'keep'))
    }
  })
})

/** Where the framework finds the file by its name, `init` writes what the documentation shows and CI runs. */
const DOCUMENTED: Readonly<Partial<Record<RecipeName, string>>> = {
  sveltekit: 'src/routes/api/webhooks/clerk/+server.ts',
  nuxt: 'server/api/webhooks/clerk.post.ts',
  nitro: 'routes/api/webhooks/clerk.post.ts',
  astro: 'src/pages/api/webhooks/clerk.ts',
  'react-router': 'app/routes/clerk-webhook.ts',
  'tanstack-start': 'src/routes/api/webhooks/clerk.ts',
}

it.each(Object.entries(DOCUMENTED))('writes for %s the recipe of the documentation', async (name, path) => {
  const { packages } = RECIPES[name as RecipeName]
  const src = path.startsWith('src/') ? { 'src/app.ts': '' } : {}
  const cwd = await appWith({ 'package.json': manifest(...packages), 'tsconfig.json': '{}', ...src })
  await init(cwd)
  const block = readBlocks().find(({ code }) => code.startsWith(`// ${path}\n`))
  expect(code(await readFile(join(cwd, path), 'utf8'))).toBe(code(block?.code ?? 'nothing'))
})

it('writes JavaScript without types', async () => {
  const cwd = await appWith({ 'package.json': manifest('@sveltejs/kit') })
  await init(cwd)
  const text = await readFile(join(cwd, 'src/routes/api/webhooks/clerk/+server.js'), 'utf8')
  expect(text).toContain("import config from '../../../../../clerk-sync.config.js'")
  expect(text).toContain('export const POST = ({ request }) => {')
})

it('prefers the framework to the server that it stands on', async () => {
  const cwd = await appWith({ 'package.json': manifest('express', '@nestjs/core') })
  expect((await init(cwd)).framework).toBe('nest')
})

it('names the app of a workspace instead of writing a listener into its root', async () => {
  const cwd = await appWith({
    'package.json': { private: true, workspaces: ['apps/*'] },
    'apps/docs/package.json': manifest('left-pad'),
    'apps/site/package.json': manifest('astro'),
  })
  const { code: exit, stderr } = await callCli(['init', '--yes'], { cwd })
  expect([exit, stderr]).toEqual([2, expect.stringMatching(/root of a workspace[\s\S]*cd apps\/site/)])
})
