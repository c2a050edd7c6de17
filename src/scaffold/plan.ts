/** What `init` would write: decided before anything is written, so that it can be shown. */

import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CONFIG_FILES } from '../configuration/configuration.ts'
import { type Project, ROUTE_PATH, servedPath } from '../doctor/project.ts'
import type { App } from './app.ts'
import {
  CONFIG_TEXT,
  DRAIN_PATH,
  endingOf,
  type Integration,
  integrationOf,
  type Paste,
  type RouteFile,
  routeTextAt,
} from './frameworks.ts'
import { isRecipe } from './recipes.ts'

export interface PlannedFile {
  /** From the project's folder. */
  readonly path: string
  /** What is there now; undefined if nothing is. */
  readonly before: string | undefined
  readonly after: string
  /** `replace` destroys what somebody wrote. */
  readonly action: 'create' | 'append' | 'replace' | 'keep'
}

export interface Plan {
  readonly files: readonly PlannedFile[]
  /** What is left to paste; no lines if nothing is. */
  readonly paste: Paste
}

const ENDINGS = ['.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs']
/** Any import of an adapter means that the route exists, maybe elsewhere and with other options. */
const HAS_ROUTE =
  /(?:from\s+|require\(\s*)['"]clerk-sync\/(next|express|fastify|hono|koa|lambda|nest|node)['"]/

const IS_DRAIN = /createNext(Pages)?Drain\(/

export function planFor(app: App, project: Project): Plan {
  const config = configFile(app)
  const integration = integrationOf(app.framework, app.dialect, config.path)
  const { drain, paste } = integration
  const files = [
    routeFile(app, project, integration, config.path),
    ...(drain ? [drainFile(app, project, drain)] : []),
    config,
    gitignore(app),
  ]
  const isDone = drain ? hasCron(app) : isMounted(project, integration.route.stem)
  return { files, paste: isDone ? { ...paste, lines: [] } : paste }
}

/** What came into being since the plan was made was not shown, and is not replaced. */
export async function writePlanned(root: string, { path, after, action }: PlannedFile): Promise<void> {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, after, { flag: action === 'create' ? 'wx' : 'w' })
}

function hasCron({ root }: App): boolean {
  return (readIfThere(join(root, 'vercel.json')) ?? '').includes(DRAIN_PATH)
}

/** A call of `drain` anywhere is somebody's own way to run handlers. */
function drainFile(app: App, project: Project, { stem, text }: RouteFile): PlannedFile {
  const own = project.files.find((file) => IS_DRAIN.test(file.text) || /\.drain\(/.test(file.text))
  return own ? keep(own.path, own.text) : plan(app, pathOf(app, stem, true), text)
}

function routeFile(app: App, project: Project, integration: Integration, config: string): PlannedFile {
  const route = project.files.find((file) => HAS_ROUTE.test(file.text) && !IS_DRAIN.test(file.text))
  if (route) return keep(route.path, route.text)
  const isNext = app.framework.startsWith('next')
  // Next.js does not build an app with two routes of one path.
  const served = project.files.find(({ path }) => isNext && servedPath(path) === ROUTE_PATH)
  if (served) return plan(app, served.path, replacing(app, served.path, config))
  const { stem, text } = integration.route
  return plan(app, pathOf(app, stem, isNext || isRecipe(app.framework)), text)
}

/** A route in the form of its router, which imports the configuration from where it stands. */
function replacing({ dialect }: App, path: string, config: string): string {
  const stem = path.replaceAll('\\', '/').replace(/\.\w+$/, '')
  return routeTextAt(routerOf(path), stem, dialect, config)
}

function routerOf(path: string): 'next-app' | 'next-pages' {
  return /^(src[\\/])?pages[\\/]/.test(path) ? 'next-pages' : 'next-app'
}

/** Whether the app imports the route's file, or has no such file because the route stands in the app itself. */
function isMounted(project: Project, stem: string): boolean {
  const isRoute = ({ path }: { path: string }) => path.replaceAll('\\', '/').startsWith(`${stem}.`)
  return project.files.some(
    (file) =>
      !isRoute(file) &&
      (HAS_ROUTE.test(file.text) || /['"][^'"]*\/clerk-webhook(\.\w+)?['"]/.test(file.text)),
  )
}

/** A file of another ending in its place would be a second route of the same path. */
function pathOf({ root, dialect }: App, stem: string, isCompiled: boolean): string {
  const found = ENDINGS.find((ending) => existsSync(join(root, stem + ending)))
  return stem + (found ?? endingOf(dialect, isCompiled))
}

function configFile(app: App): PlannedFile {
  const found = CONFIG_FILES.find((name) => existsSync(join(app.root, name)))
  if (found) return keep(found, readFileSync(join(app.root, found), 'utf8'))
  // Beside the file that imports it: a compiler may be limited to `src`.
  const folder = app.dialect.hasSrc ? 'src/' : ''
  return plan(app, `${folder}clerk-sync.config${endingOf(app.dialect)}`, CONFIG_TEXT)
}

function gitignore({ root }: App): PlannedFile {
  const path = '.gitignore'
  const before = readIfThere(join(root, path))
  if (before === undefined) return { path, before, after: '.clerk-sync/\n', action: 'create' }
  if (/^\/?\.clerk-sync\/?\s*$/m.test(before)) return keep(path, before)
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  return { path, before, after: `${before}${gap}.clerk-sync/\n`, action: 'append' }
}

function plan({ root }: App, path: string, after: string): PlannedFile {
  const before = readIfThere(join(root, path))
  if (before === after) return keep(path, before)
  return { path, before, after, action: before === undefined ? 'create' : 'replace' }
}

function keep(path: string, text: string): PlannedFile {
  return { path, before: text, after: text, action: 'keep' }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
