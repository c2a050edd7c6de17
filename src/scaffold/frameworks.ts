/** Where each framework has its webhook route, and what stands in it. */

import { posix } from 'node:path'
import { ROUTE_PATH } from '../doctor/project.ts'
import { isRecipe, RECIPE_NAMES, RECIPES, type RecipeName } from './recipes.ts'

const SERVERS = {
  'next-app': 'Next.js, App Router',
  'next-pages': 'Next.js, Pages Router',
  express: 'Express',
  fastify: 'Fastify',
  hono: 'Hono',
  node: 'Node',
} as const
type ServerName = keyof typeof SERVERS
export type Framework = ServerName | RecipeName
export const FRAMEWORKS: readonly Framework[] = [...(Object.keys(SERVERS) as ServerName[]), ...RECIPE_NAMES]

export function nameOf(framework: Framework): string {
  return isRecipe(framework) ? RECIPES[framework].name : SERVERS[framework]
}

/** How a project is written. */
export interface Dialect {
  readonly isTypeScript: boolean
  /** Whether `.js` means an ES module: package.json says `"type": "module"`. */
  readonly isModule: boolean
  /** Whether its sources are in `src/`. */
  readonly hasSrc: boolean
  /** Whether imports name the file as it is, `./x.ts`, not as it will be compiled. */
  readonly importsTs: boolean
  /** Whether imports must have an ending: no bundler finds the file. */
  readonly resolvesLikeNode: boolean
}

/** A file of a framework's integration. */
export interface RouteFile {
  /** From the project's folder, with slashes, without the ending. */
  readonly stem: string
  readonly text: string
}

/** What a framework needs for its route and for the handlers of the configuration. */
export interface Integration {
  readonly route: RouteFile
  /** Runs the handlers in serverless apps. */
  readonly drain: RouteFile | undefined
  /** What is left to paste, and where. */
  readonly paste: Paste
}

export interface Paste {
  readonly into: string
  readonly lines: readonly string[]
}

/** The route that a cron job calls in serverless apps. */
export const DRAIN_PATH = '/api/clerk-sync/drain'

/** @param config the configuration file, from the project's folder */
export function integrationOf(framework: Framework, dialect: Dialect, config: string): Integration {
  if (isRecipe(framework)) return recipeOf(framework, dialect, config)
  const folder = dialect.hasSrc ? 'src/' : ''
  const importFrom = (stem: string) => `import config from '${specifierOf(stem, config, dialect)}'`
  return INTEGRATIONS[framework]({ folder, dialect, importFrom })
}

/** The route of one of Next.js's routers, in a file that stands elsewhere. */
export function routeTextAt(
  router: 'next-app' | 'next-pages',
  stem: string,
  dialect: Dialect,
  config: string,
): string {
  const importConfig = `import config from '${specifierOf(stem, config, dialect)}'`
  return router === 'next-app' ? nextRoute(importConfig, dialect) : nextPagesRoute(importConfig)
}

interface Setting {
  readonly folder: string
  readonly dialect: Dialect
  /** The line with which a file imports the configuration. */
  readonly importFrom: (stem: string) => string
}

const CRON: Paste = {
  into: 'vercel.json, to run handlers again that failed',
  lines: [`"crons": [{ "path": "${DRAIN_PATH}", "schedule": "* * * * *" }]`],
}

/** A route of another framework. */
function recipeOf(name: RecipeName, dialect: Dialect, config: string): Integration {
  const { finds, write } = RECIPES[name]
  const found = { ...dialect, ...FINDING[finds] }
  const { paste, ...route } = write(dialect, ROUTE_PATH, (stem) => specifierOf(stem, config, found))
  return { route, drain: undefined, paste: { into: SERVER_FILE, lines: paste } }
}

/** How a file is named in an import, by who finds it. */
const FINDING: Readonly<Record<(typeof RECIPES)[RecipeName]['finds'], Partial<Dialect>>> = {
  bundler: { importsTs: false, resolvesLikeNode: false },
  runtime: { importsTs: true },
  node: {},
}

const SERVER_FILE = 'the file that makes the server'

const INTEGRATIONS: Readonly<Record<ServerName, (setting: Setting) => Integration>> = {
  'next-app': ({ folder, dialect, importFrom }) => {
    const [route, drain] = [`${folder}app${ROUTE_PATH}/route`, `${folder}app${DRAIN_PATH}/route`]
    return {
      route: { stem: route, text: nextRoute(importFrom(route), dialect) },
      drain: { stem: drain, text: nextDrain(importFrom(drain)) },
      paste: CRON,
    }
  },
  'next-pages': ({ folder, importFrom }) => {
    const [route, drain] = [`${folder}pages${ROUTE_PATH}`, `${folder}pages${DRAIN_PATH}`]
    return {
      route: { stem: route, text: nextPagesRoute(importFrom(route)) },
      drain: { stem: drain, text: nextPagesDrain(importFrom(drain)) },
      paste: CRON,
    }
  },
  express: (setting) =>
    serverWith('express', 'createExpressHandler', setting, [
      `app.post('${ROUTE_PATH}', clerkWebhook) // above express.json()`,
    ]),
  fastify: (setting) =>
    serverWith('fastify', 'createFastifyHandler', setting, [`app.post('${ROUTE_PATH}', clerkWebhook)`]),
  hono: (setting) =>
    serverWith('hono', 'createHonoHandler', setting, [
      `app.post('${ROUTE_PATH}', clerkWebhook) // above middleware that reads the body`,
    ]),
  node: (setting) =>
    serverWith('node', 'createNodeHandler', setting, [
      '// first in the request listener',
      `if (request.url?.split('?')[0] === '${ROUTE_PATH}') return clerkWebhook(request, response)`,
    ]),
}

/** A server that stays: it runs the handlers itself. */
function serverWith(
  subpath: string,
  create: string,
  { folder, dialect, importFrom }: Setting,
  mount: readonly string[],
): Integration {
  const stem = `${folder}clerk-webhook`
  const text = `import { sharedClerkSync, workInBackground } from 'clerk-sync'
import { ${create} } from 'clerk-sync/${subpath}'
${importFrom(stem)}

export const clerkSync = () => sharedClerkSync(config)
export const clerkWebhook = ${create}(clerkSync)

// Runs the handlers of the configuration in this process.
workInBackground(clerkSync)
`
  const paste = { into: SERVER_FILE, lines: [importLine(dialect), ...mount] }
  return { route: { stem, text }, drain: undefined, paste }
}

function nextRoute(importConfig: string, { resolvesLikeNode, isTypeScript }: Dialect): string {
  const server = isTypeScript && resolvesLikeNode ? 'next/server.js' : 'next/server'
  return `import { sharedClerkSync } from 'clerk-sync'
import { createNextHandler } from 'clerk-sync/next'
import { after } from '${server}'
${importConfig}

// Handlers run after the answer.
export const POST = createNextHandler(() => sharedClerkSync(config), { after })
export const maxDuration = 60
`
}

function nextDrain(importConfig: string): string {
  return `import { sharedClerkSync } from 'clerk-sync'
import { createNextDrain } from 'clerk-sync/next'
${importConfig}

// A cron job calls this, with CRON_SECRET: it runs handlers that failed, or had no time, again.
export const GET = createNextDrain(() => sharedClerkSync(config))
export const maxDuration = 60
export const dynamic = 'force-dynamic'
`
}

function nextPagesRoute(importConfig: string): string {
  return `import { sharedClerkSync } from 'clerk-sync'
import { createNextPagesHandler } from 'clerk-sync/next'
${importConfig}

// The signature covers the exact bytes of the body.
export const config = { api: { bodyParser: false } }
export default createNextPagesHandler(() => sharedClerkSync(clerkSyncConfig))
`.replace('import config from', 'import clerkSyncConfig from')
}

function nextPagesDrain(importConfig: string): string {
  return `import { sharedClerkSync } from 'clerk-sync'
import { createNextPagesDrain } from 'clerk-sync/next'
${importConfig}

// A cron job calls this every minute, with CRON_SECRET: it runs the handlers.
export const config = { maxDuration: 60 }
export default createNextPagesDrain(() => sharedClerkSync(clerkSyncConfig))
`.replace('import config from', 'import clerkSyncConfig from')
}

/** How one file names another in an import: as it is, as it will be compiled, or without its ending for a bundler. */
function specifierOf(fromStem: string, target: string, { importsTs, resolvesLikeNode }: Dialect): string {
  const path = posix.relative(posix.dirname(fromStem), target)
  const named = path.startsWith('.') ? path : `./${path}`
  if (importsTs || !/\.m?ts$/.test(named)) return named
  return resolvesLikeNode ? named.replace(/ts$/, 'js') : named.replace(/\.m?ts$/, '')
}

function importLine({ isTypeScript, isModule, importsTs }: Dialect): string {
  if (isTypeScript) return `import { clerkWebhook } from './clerk-webhook${importsTs ? '.ts' : '.js'}'`
  if (isModule) return `import { clerkWebhook } from './clerk-webhook.js'`
  return `const { clerkWebhook } = require('./clerk-webhook.mjs')`
}

/** The ending of a new file. Next.js compiles its own files, so that there `.js` is always a module. */
export function endingOf({ isTypeScript, isModule }: Dialect, isCompiled = false): string {
  if (isTypeScript) return '.ts'
  return isModule || isCompiled ? '.js' : '.mjs'
}

export const CONFIG_TEXT = `import { defineConfig } from 'clerk-sync'

export default defineConfig({
  // Your code for what happens in Clerk: run after the tables are in step, and again when it fails.
  // It also needs: import { on } from 'clerk-sync'
  // handlers: [
  //   on('user.created', async ({ event, idempotencyKey }) => {
  //     console.log('welcome', event.data.id, idempotencyKey)
  //   }, { name: 'welcome' }),
  // ],
})
`
