/** The sources of the project in the working directory, for pointing at the line that is wrong. */

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { judgeMiddleware, type Verdict } from '../middleware/verdict.ts'
import { type Check, found, passed, type Result } from './check.ts'

/** Where the guides and `init` put the webhook route. */
export const ROUTE_PATH = '/api/webhooks/clerk'

interface SourceFile {
  /** From the working directory. */
  readonly path: string
  readonly text: string
}

const SOURCE = /\.[cm]?[jt]sx?$/
const FOREIGN = new Set(['node_modules', 'dist', 'build', 'out', 'coverage', 'test', 'tests', '__tests__'])
/** Enough for where routes and middleware are; a monorepo must not hold the doctor up. */
const MAX_FILES = 1_000
const MAX_BYTES = 200_000
const MAX_DEPTH = 8

export class Project {
  readonly #root: string
  #files: readonly SourceFile[] | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** `proxy.ts:9`, the first line like that. */
  findLine(pattern: RegExp, path: RegExp = SOURCE): string | undefined {
    for (const file of this.files) {
      if (!path.test(file.path)) continue
      const index = file.text.split('\n').findIndex((line) => pattern.test(line))
      if (index >= 0) return `${file.path}:${index + 1}`
    }
    return undefined
  }

  get files(): readonly SourceFile[] {
    this.#files ??= this.#read()
    return this.#files
  }

  get usesNext(): boolean {
    const manifest = readOrEmpty(join(this.#root, 'package.json'))
    return /"next"\s*:/.test(manifest)
  }

  #read(): SourceFile[] {
    return [...walk(this.#root, MAX_DEPTH)]
      .slice(0, MAX_FILES)
      .map((path) => ({ path: relative(this.#root, path), text: readOrEmpty(path) }))
  }
}

function* walk(folder: string, depth: number): Generator<string> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.isFile() && SOURCE.test(entry.name)) yield path
    const isOwn = entry.isDirectory() && !entry.name.startsWith('.') && !FOREIGN.has(entry.name)
    if (isOwn && depth > 0) yield* walk(path, depth - 1)
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name.localeCompare(b.name))
  } catch {
    return []
  }
}

function readOrEmpty(path: string): string {
  try {
    return statSync(path).size > MAX_BYTES ? '' : readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const EDGE = /^\s*export\s+const\s+runtime\s*=\s*['"](experimental-)?edge['"]/

/** Only Next.js requires its routes to be in a certain place. */
export function projectCheck(project: Project): Check {
  return {
    group: 'project',
    name: 'route file',
    run: async () => (project.usesNext ? [inspectRoute(project)] : []),
  }
}

export function findRoute(project: Pick<Project, 'files'>): SourceFile | undefined {
  return project.files.find(
    ({ text }) => /['"]clerk-sync\/next['"]/.test(text) && !/createNext(Pages)?Drain\(/.test(text),
  )
}

/** The path that Next.js serves a route's file at; undefined if it serves none. */
export function servedPath(file: string): string | undefined {
  const path = file.replaceAll('\\', '/').replace(/^src\//, '')
  const [, app] = /^app(\/.+)\/route\.\w+$/.exec(path) ?? []
  const [, pages] = /^pages(\/api\/.+?)(?:\/index)?\.\w+$/.exec(path) ?? []
  // Folders in brackets only group.
  return app?.replace(/\/\([^/]+\)/g, '') ?? pages
}

function inspectRoute(project: Project): Result {
  const route = findRoute(project)
  if (route === undefined) return found('route_file_missing')
  const edge = route.text.split('\n').findIndex((line) => EDGE.test(line))
  if (edge >= 0) return found('edge_runtime', `${route.path}:${edge + 1}`)
  return passed(`${route.path} is the route of this Next.js app.`)
}

export function middlewareCheck(project: Project): Check {
  return { group: 'project', name: 'middleware', run: async () => inspect(project) }
}

function inspect(project: Project): Result[] {
  const protection = examineProtection(project)
  if (protection === undefined) return []
  const { place, path, verdict } = protection
  if (verdict === 'public') return [passed(`${place} lets webhooks through.`)]
  return verdict === 'protected'
    ? [found('middleware_protects', place, howToOpen(path))]
    : [found('middleware_unclear', place, howToAsk(path))]
}

const MIDDLEWARE = /^(src[\\/])?(proxy|middleware)\.[cm]?[jt]s$/

/** A middleware of the project, and what it does to the webhook route. */
interface Protection {
  /** `proxy.ts:9`, or the file alone. */
  readonly place: string
  /** The route’s path. */
  readonly path: string
  readonly verdict: Verdict['kind']
}

/** Undefined if the project has no middleware. */
export function examineProtection(project: Pick<Project, 'files'>): Protection | undefined {
  const file = project.files.find(({ path }) => MIDDLEWARE.test(path))
  if (file === undefined) return undefined
  const path = routePath(project)
  const verdict = judgeMiddleware(file.text, path)
  const place = verdict.kind === 'public' ? file.path : `${file.path}:${verdict.line}`
  return { place, path, verdict: verdict.kind }
}

/** Where the project’s own route is served, if it has one at a fixed path. */
function routePath(project: Pick<Project, 'files'>): string {
  const route = findRoute(project)
  const path = route && servedPath(route.path)
  return path === undefined || path.includes('[') ? ROUTE_PATH : path
}

/** What to change, and in which line; undefined if nothing keeps webhooks out. */
export function protectionOf(project: Pick<Project, 'files'>): string | undefined {
  const protection = examineProtection(project)
  if (protection === undefined || protection.verdict === 'public') return undefined
  const { place, path, verdict } = protection
  if (verdict === 'protected') return `${place} keeps webhooks out. ${howToOpen(path)}`
  return `${place} may keep webhooks out. ${howToAsk(path)}`
}

function howToOpen(path: string): string {
  return `Use a bare clerkMiddleware() and check the session in each page, layout or route that needs one. If the check must stay in the middleware, exempt the webhook: if (request.nextUrl.pathname !== '${path}') await auth.protect()`
}

function howToAsk(path: string): string {
  return `Ask the running app: clerk-sync doctor --url https://YOUR-APP${path}`
}
