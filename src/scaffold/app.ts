/** What kind of app the working directory holds. */

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Dialect, Framework } from './frameworks.ts'
import { recipesOf } from './recipes.ts'

export interface App {
  readonly root: string
  readonly framework: Framework
  readonly dialect: Dialect
  /** What installs clerk-sync here; undefined if it is among the dependencies. */
  readonly install: string | undefined
}

interface Manifest {
  readonly type?: string
  readonly workspaces?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** The folder holds no app that receives webhooks. */
export class NoAppError extends Error {
  override readonly name = 'NoAppError'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * @param choose which of several it is; they are sorted by how likely each is
 * @throws {NoAppError} without a readable package.json, and at the root of a workspace
 */
export async function detectApp(
  root: string,
  choose: (likely: readonly [Framework, ...Framework[]]) => Promise<Framework>,
): Promise<App> {
  const manifest = readManifest(root)
  const names = dependenciesOf(manifest)
  const has = (path: string) => existsSync(join(root, path))
  const frameworks = frameworksOf(names, has)
  if (frameworks[0] === 'node' && isWorkspace(manifest, has)) throw rootOfWorkspace(root)
  const found = await choose(frameworks)
  const isTypeScript = has('tsconfig.json')
  const tsconfig = isTypeScript ? readFileSync(join(root, 'tsconfig.json'), 'utf8') : ''
  const dialect = {
    isTypeScript,
    isModule: manifest.type === 'module',
    hasSrc: isInSrc(found, has),
    importsTs: importsTs(tsconfig),
    resolvesLikeNode: !found.startsWith('next') || /"(nodenext|node16|node18|node20)"/i.test(tsconfig),
  }
  return { root, framework: found, dialect, install: names.has('clerk-sync') ? undefined : installerOf(root) }
}

function dependenciesOf({ dependencies, devDependencies }: Manifest): Set<string> {
  return new Set(Object.keys({ ...dependencies, ...devDependencies }))
}

type Has = (path: string) => boolean

function readManifest(root: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    if (typeof manifest === 'object' && manifest !== null) return manifest
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT')
      throw new NoAppError('There is no package.json here.', 'Run it in the folder of your app.')
  }
  throw new NoAppError('package.json cannot be read as JSON.', 'Correct it, and run this again.')
}

/** Next.js first: apps have other servers beside it, and rarely the other way round. */
function frameworksOf(names: ReadonlySet<string>, has: Has): [Framework, ...Framework[]] {
  const servers = (['express', 'fastify', 'hono'] as const).filter((name) => names.has(name))
  const recipes = recipesOf(names)
  // Bun runs what is written for Node, but an app without a framework on Bun has no listener of Node's.
  if (recipes.length === 0 && servers.length === 0 && has('bun.lock')) recipes.push('bun')
  if (recipes.length === 0 && servers.length === 0 && (has('deno.json') || has('deno.jsonc')))
    recipes.push('deno')
  const others: Framework[] = [...recipes, ...servers]
  if (!names.has('next')) return [others[0] ?? 'node', ...others.slice(1)]
  return [has('app') || has('src/app') || !hasPages(has) ? 'next-app' : 'next-pages', ...others]
}

/** The root of a workspace is no app: a listener there would answer nobody. */
function isWorkspace({ workspaces }: Manifest, has: Has): boolean {
  return workspaces !== undefined || has('pnpm-workspace.yaml')
}

function rootOfWorkspace(root: string): Error {
  const [app] = globSync(['apps/*/package.json', 'packages/*/package.json'], { cwd: root })
    .sort()
    .filter(
      (path) =>
        frameworksOf(dependenciesOf(readManifest(join(root, dirname(path)))), () => false)[0] !== 'node',
    )
  const folder = app ? dirname(app) : 'apps/web'
  return new NoAppError(
    'This is the root of a workspace, not an app.',
    `Run it in the folder of the app that receives webhooks: cd ${folder}`,
  )
}

function hasPages(has: Has): boolean {
  return has('pages') || has('src/pages')
}

/** Next.js ignores `src/app` and `src/pages` where there is one of them at the top. */
function isInSrc(framework: Framework, has: Has): boolean {
  if (framework === 'next-app' && (has('app') || has('src/app'))) return !has('app')
  if (framework === 'next-pages' && hasPages(has)) return !has('pages')
  if (framework.startsWith('next') && (has('app') || has('pages'))) return false
  return has('src')
}

/** By the text, since its comments and commas are no JSON. */
function importsTs(tsconfig: string): boolean {
  return /"(allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/.test(tsconfig)
}

const INSTALLERS = [
  ['pnpm-lock.yaml', 'pnpm add clerk-sync'],
  ['yarn.lock', 'yarn add clerk-sync'],
  ['bun.lock', 'bun add clerk-sync'],
  ['package-lock.json', 'npm install clerk-sync'],
] as const

/** By the nearest lock file: that of a workspace is further up. */
function installerOf(folder: string): string {
  const found = INSTALLERS.find(([lock]) => existsSync(join(folder, lock)))
  if (found) return found[1]
  const parent = dirname(folder)
  return parent === folder ? 'npm install clerk-sync' : installerOf(parent)
}
