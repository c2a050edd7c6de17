/** Where each framework has its webhook route, and what stands in it. */

import { isRecipe, RECIPE_NAMES, RECIPES, type RecipeName } from './recipes.ts'

const SERVER_NAMES = ['next-app', 'next-pages', 'express', 'fastify', 'hono', 'node'] as const
export type Framework = (typeof SERVER_NAMES)[number] | RecipeName
export const FRAMEWORKS: readonly Framework[] = [...SERVER_NAMES, ...RECIPE_NAMES]

/** How a project is written. */
export interface Dialect {
  readonly isTypeScript: boolean
  /** Whether `.js` means an ES module: package.json says `"type": "module"`. */
  readonly isModule: boolean
  /** Whether its sources are in `src/`. */
  readonly hasSrc: boolean
  /** Whether imports name the file as it is, `./x.ts`, not as it will be compiled. */
  readonly importsTs: boolean
}

/** A file of a framework's integration. */
export interface RouteFile {
  /** From the project's folder, with slashes, without the ending. */
  readonly stem: string
  readonly text: string
  /** What is left to paste into the app; nothing where the framework finds the file by its name. */
  readonly paste: readonly string[]
}

/** What the route's URL ends in. */
export const ROUTE_PATH = '/api/webhooks/clerk'

export function routeFileOf(framework: Framework, dialect: Dialect): RouteFile {
  if (isRecipe(framework)) return RECIPES[framework].write(dialect, ROUTE_PATH)
  const folder = dialect.hasSrc ? 'src/' : ''
  if (framework === 'next-app') {
    return {
      stem: `${folder}app${ROUTE_PATH}/route`,
      text: `export { POST } from 'clerk-sync/next'\n`,
      paste: [],
    }
  }
  if (framework === 'next-pages') return { stem: `${folder}pages${ROUTE_PATH}`, text: NEXT_PAGES, paste: [] }
  const { create, mount } = SERVERS[framework]
  const text = `import { ${create} } from 'clerk-sync/${framework}'\n\nexport const clerkWebhook = ${create}()\n`
  return { stem: `${folder}clerk-webhook`, text, paste: [importLine(dialect), ...mount] }
}

const NEXT_PAGES = `import { createNextPagesHandler } from 'clerk-sync/next'

// The signature covers the exact bytes of the body.
export const config = { api: { bodyParser: false } }
export default createNextPagesHandler()
`

const SERVERS = {
  express: {
    create: 'createExpressHandler',
    mount: [`app.post('${ROUTE_PATH}', clerkWebhook) // above express.json()`],
  },
  fastify: { create: 'createFastifyHandler', mount: [`app.post('${ROUTE_PATH}', clerkWebhook)`] },
  hono: {
    create: 'createHonoHandler',
    mount: [`app.post('${ROUTE_PATH}', clerkWebhook) // above middleware that reads the body`],
  },
  node: {
    create: 'createNodeHandler',
    mount: [
      '// first in the request listener',
      `if (request.url?.split('?')[0] === '${ROUTE_PATH}') return clerkWebhook(request, response)`,
    ],
  },
} as const

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
