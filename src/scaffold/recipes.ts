/** The routes of frameworks that speak `fetch`, or have a subpath of their own: as docs/frameworks.md shows them. */

/** What matters here of how a project is written. */
interface Dialect {
  readonly isTypeScript: boolean
  readonly isModule: boolean
  readonly hasSrc: boolean
  readonly importsTs: boolean
}

interface RouteFile {
  readonly stem: string
  readonly text: string
  readonly paste: readonly string[]
}

/** How a file imports the configuration. */
type SpecifierOf = (stem: string) => string

interface Recipe {
  readonly name: string
  /** One of these among the dependencies tells that the app is made with it. */
  readonly packages: readonly string[]
  /** Who finds the configuration: a bundler without an ending, a runtime by its name as it is, or Node, maybe compiled. */
  readonly finds: 'bundler' | 'runtime' | 'node'
  readonly write: (dialect: Dialect, path: string, specifierOf: SpecifierOf) => RouteFile
}

/** A route that the framework finds by the name of its file. */
function byName(stem: string, specifierOf: SpecifierOf, text: (importConfig: string) => string): RouteFile {
  return { stem, text: text(importFrom(specifierOf(stem))), paste: [] }
}

const importFrom = (specifier: string) => `import config from '${specifier}'\n`

/** A file that the app imports. */
function imported(
  dialect: Dialect,
  specifierOf: SpecifierOf,
  text: (importConfig: string) => string,
  paste: readonly string[],
): RouteFile {
  const ending = dialect.isTypeScript && dialect.importsTs ? '.ts' : '.js'
  const name = dialect.isTypeScript || dialect.isModule ? `clerk-webhook${ending}` : 'clerk-webhook.mjs'
  const line = `import { clerkWebhook } from './${name}'`
  const route = byName(stemIn(dialect), specifierOf, text)
  return { ...route, paste: [line, ...paste] }
}

const stemIn = ({ hasSrc }: Dialect) => `${hasSrc ? 'src/' : ''}clerk-webhook`
const SHARED = `import { sharedClerkSync, workInBackground } from 'clerk-sync'\n`
const typed = ({ isTypeScript }: Dialect, type: string) => (isTypeScript ? `: ${type}` : '')

/** Begins with the first request, because a build loads the module too. */
const answering = (parameter: string, request: string) => `(${parameter}) => {
  const sync = sharedClerkSync(config)
  workInBackground(sync)
  return sync.fetch(${request})
}
`

function exported(name: string, dialect: Dialect): string {
  const parameter = `{ request }${typed(dialect, '{ request: Request }')}`
  return `// Runs the handlers of the configuration in this process.\nexport const ${name} = ${answering(parameter, 'request')}`
}

/** What the files of servers that stay share. Nothing but the server loads them. */
const STAYING = `export const clerkSync = () => sharedClerkSync(config)

// Runs the handlers of the configuration in this process.
workInBackground(clerkSync)
`

const fetchHandler = (dialect: Dialect) => (importConfig: string) =>
  `${SHARED}${importConfig}
${STAYING}
export const clerkWebhook = (request${typed(dialect, 'Request')}) => clerkSync().fetch(request)
`

const whereFetch = (path: string) => [
  '// first in the fetch handler',
  `if (new URL(request.url).pathname === '${path}') return clerkWebhook(request)`,
]

/** Bun and Deno serve a `fetch` handler, and load TypeScript by its name as it is. */
const SERVING_FETCH = {
  finds: 'runtime',
  write: (dialect, path, specifierOf) =>
    imported(dialect, specifierOf, fetchHandler(dialect), whereFetch(path)),
} as const satisfies Pick<Recipe, 'finds' | 'write'>

/** Those that bring a server of their own come first: an app of one often has Express beside it. */
export const RECIPES = {
  sveltekit: {
    name: 'SvelteKit',
    packages: ['@sveltejs/kit'],
    finds: 'bundler',
    write: (dialect, path, specifierOf) =>
      byName(
        `src/routes${path}/+server`,
        specifierOf,
        (importConfig) => `${SHARED}${importConfig}\n${exported('POST', dialect)}`,
      ),
  },
  nuxt: {
    name: 'Nuxt',
    packages: ['nuxt'],
    finds: 'bundler',
    write: (_, path, specifierOf) => byName(`server${path}.post`, specifierOf, nuxt),
  },
  nitro: {
    name: 'Nitro',
    packages: ['nitro'],
    finds: 'bundler',
    write: (dialect, path, specifierOf) =>
      byName(
        `routes${path}.post`,
        specifierOf,
        (importConfig) =>
          `${SHARED}${importConfig}\n// Runs the handlers of the configuration in this process.\nexport default ${answering(`{ req }${typed(dialect, '{ req: Request }')}`, 'req')}`,
      ),
  },
  astro: {
    name: 'Astro',
    packages: ['astro'],
    finds: 'bundler',
    write: (dialect, path, specifierOf) =>
      byName(
        `src/pages${path}`,
        specifierOf,
        (importConfig) =>
          `${SHARED}${importConfig}\nexport const prerender = false\n${exported('POST', dialect)}`,
      ),
  },
  'react-router': {
    name: 'React Router',
    packages: ['@react-router/dev', '@remix-run/dev'],
    finds: 'bundler',
    write: (dialect, path, specifierOf) => ({
      ...byName(
        'app/routes/clerk-webhook',
        specifierOf,
        (importConfig) => `${SHARED}${importConfig}\n${exported('action', dialect)}`,
      ),
      paste: [
        '// in app/routes.ts',
        `route('${path.slice(1)}', 'routes/clerk-webhook.${dialect.isTypeScript ? 'ts' : 'js'}'),`,
      ],
    }),
  },
  'tanstack-start': {
    name: 'TanStack Start',
    packages: ['@tanstack/react-start'],
    finds: 'bundler',
    write: (_, path, specifierOf) => {
      const stem = `src/routes${path}`
      return { stem, text: tanStackStart(path, specifierOf(stem)), paste: [] }
    },
  },
  elysia: {
    name: 'Elysia',
    packages: ['elysia'],
    finds: 'runtime',
    write: (dialect, path, specifierOf) =>
      imported(dialect, specifierOf, elysia(path), ['app.use(clerkWebhook)']),
  },
  nest: {
    name: 'NestJS',
    packages: ['@nestjs/core'],
    finds: 'node',
    write: (dialect, _, specifierOf) =>
      imported(dialect, specifierOf, nest, ['// in the module of the app', 'imports: [clerkWebhook],']),
  },
  firebase: {
    name: 'Firebase functions',
    packages: ['firebase-functions'],
    finds: 'node',
    write: (dialect, _, specifierOf) =>
      imported(dialect, specifierOf, firebase, ['export { clerkHandlers, clerkWebhook }']),
  },
  'cloud-functions': {
    name: 'Cloud Functions',
    packages: ['@google-cloud/functions-framework'],
    finds: 'node',
    write: (dialect, _, specifierOf) =>
      imported(dialect, specifierOf, cloudFunction, ['export { clerkHandlers, clerkWebhook }']),
  },
  workers: {
    name: 'Cloudflare Workers',
    packages: ['wrangler', '@cloudflare/workers-types'],
    finds: 'bundler',
    write: (dialect, path, specifierOf) =>
      imported(dialect, specifierOf, workers(dialect), [
        '// first in the fetch handler; HYPERDRIVE is the binding of a Hyperdrive',
        `if (new URL(request.url).pathname === '${path}') return clerkWebhook(request, env, context)`,
      ]),
  },
  lambda: {
    name: 'AWS Lambda',
    packages: ['@types/aws-lambda', 'serverless', 'sst', '@middy/core'],
    finds: 'node',
    write: (dialect, _, specifierOf) => byName(stemIn(dialect), specifierOf, lambda),
  },
  koa: {
    name: 'Koa',
    packages: ['koa'],
    finds: 'node',
    write: (dialect, path, specifierOf) =>
      imported(dialect, specifierOf, koa, [
        `router.post('${path}', clerkWebhook) // app.use(router.routes()) above body parsers`,
      ]),
  },
  bun: { name: 'Bun', packages: ['@types/bun', 'bun-types'], ...SERVING_FETCH },
  deno: { name: 'Deno', packages: ['deno', '@types/deno'], ...SERVING_FETCH },
} as const satisfies Record<string, Recipe>

export type RecipeName = keyof typeof RECIPES
export const RECIPE_NAMES = Object.keys(RECIPES) as readonly RecipeName[]

export function isRecipe(framework: string): framework is RecipeName {
  return Object.hasOwn(RECIPES, framework)
}

/** Those that an app with these dependencies may be made with. */
export function recipesOf(dependencies: ReadonlySet<string>): RecipeName[] {
  return RECIPE_NAMES.filter((name) => RECIPES[name].packages.some((each) => dependencies.has(each)))
}

const nuxt = (importConfig: string) => `${SHARED}import { defineEventHandler, toWebRequest } from 'h3'
${importConfig}
// Runs the handlers of the configuration in this process.
export default defineEventHandler((event) => {
  const sync = sharedClerkSync(config)
  workInBackground(sync)
  return sync.fetch(toWebRequest(event))
})
`

function tanStackStart(path: string, config: string): string {
  return `import { createFileRoute } from '@tanstack/react-router'

export const Route = createFileRoute('${path}')({
  server: {
    handlers: {
      POST: async ({ request }) => {
        // Imported here, both stay out of the browser's bundle.
        const { sharedClerkSync, workInBackground } = await import('clerk-sync')
        const { default: config } = await import('${config}')
        const sync = sharedClerkSync(config)
        // Runs the handlers of the configuration in this process.
        workInBackground(sync)
        return sync.fetch(request)
      },
    },
  },
})
`
}

const elysia = (path: string) => (importConfig: string) =>
  `${SHARED}import { Elysia } from 'elysia'
${importConfig}
${STAYING}
// The signature covers the exact bytes of the body.
export const clerkWebhook = new Elysia().post(
  '${path}',
  ({ request }) => clerkSync().fetch(request),
  { parse: 'none' },
)
`

const nest = (importConfig: string) => `import { ClerkSyncModule } from 'clerk-sync/nest'
${importConfig}
export const clerkWebhook = ClerkSyncModule.forRoot(config)
`

/** Where the process freezes after the answer, another function runs the handlers, on a schedule. */
const DRAINED = `// Runs the handlers of the configuration. Call it every minute.`

const firebase = (importConfig: string) => `import { sharedClerkSync } from 'clerk-sync'
import { createNodeHandler } from 'clerk-sync/node'
import { onRequest } from 'firebase-functions/https'
import { onSchedule } from 'firebase-functions/scheduler'
${importConfig}
const clerkSync = () => sharedClerkSync(config)

export const clerkWebhook = onRequest(createNodeHandler(clerkSync))

${DRAINED.replace(' Call it every minute.', '')}
export const clerkHandlers = onSchedule('every 1 minutes', async () => {
  await clerkSync().drain({ maxSeconds: 50 })
})
`

const cloudFunction = (importConfig: string) => `import { sharedClerkSync } from 'clerk-sync'
import { createNodeHandler } from 'clerk-sync/node'
${importConfig}
const clerkSync = () => sharedClerkSync(config)

export const clerkWebhook = createNodeHandler(clerkSync)

// Runs the handlers of the configuration. Trigger it every minute.
export const clerkHandlers = () => clerkSync().drain({ maxSeconds: 50 })
`

const lambda = (importConfig: string) => `import { sharedClerkSync } from 'clerk-sync'
import { createLambdaHandler } from 'clerk-sync/lambda'
${importConfig}
const clerkSync = () => sharedClerkSync(config)

export const handler = createLambdaHandler(clerkSync)

${DRAINED}
export const drain = () => clerkSync().drain({ maxSeconds: 50 })
`

const koa = (importConfig: string) => `${SHARED}import { createKoaHandler } from 'clerk-sync/koa'
${importConfig}
${STAYING}
export const clerkWebhook = createKoaHandler(clerkSync)
`

function workers(dialect: Dialect): (importConfig: string) => string {
  const env = typed(
    dialect,
    '{ CLERK_WEBHOOK_SIGNING_SECRET: string; HYPERDRIVE: { connectionString: string } }',
  )
  const context = typed(dialect, '{ waitUntil(promise: Promise<unknown>): void }')
  return (importConfig) => `import { createClerkSync } from 'clerk-sync'
${importConfig}
// A Worker may not use a connection that another request opened.
export async function clerkWebhook(request${typed(dialect, 'Request')}, env${env}, context${context}) {
  const sync = createClerkSync({
    ...config,
    signingSecret: env.CLERK_WEBHOOK_SIGNING_SECRET,
    database: env.HYPERDRIVE.connectionString,
  })
  const response = await sync.fetch(request)
  // Runs the handlers after the answer, as long as a Worker may.
  context.waitUntil(sync.drain({ maxSeconds: 20 }).finally(() => sync.close()))
  return response
}
`
}
