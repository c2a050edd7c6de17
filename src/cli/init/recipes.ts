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

interface Recipe {
  readonly name: string
  /** One of these among the dependencies tells that the app is made with it. */
  readonly packages: readonly string[]
  readonly write: (dialect: Dialect, path: string) => RouteFile
}

/** A route that the framework finds by the name of its file. */
const byName = (stem: string, text: string): RouteFile => ({ stem, text, paste: [] })

/** A file that the app imports. */
function imported(dialect: Dialect, text: string, paste: readonly string[]): RouteFile {
  const ending = dialect.isTypeScript && dialect.importsTs ? '.ts' : '.js'
  const name = dialect.isTypeScript || dialect.isModule ? `clerk-webhook${ending}` : 'clerk-webhook.mjs'
  const line = `import { clerkWebhook } from './${name}'`
  return { stem: `${dialect.hasSrc ? 'src/' : ''}clerk-webhook`, text, paste: [line, ...paste] }
}

const SHARED = `import { sharedClerkSync } from 'clerk-sync'\n`
const typed = ({ isTypeScript }: Dialect, type: string) => (isTypeScript ? `: ${type}` : '')

function exported(name: string, dialect: Dialect): string {
  const parameter = `{ request }${typed(dialect, '{ request: Request }')}`
  return `export const ${name} = (${parameter}) => sharedClerkSync().fetch(request)\n`
}

const fetchHandler = (dialect: Dialect) =>
  `${SHARED}\nexport const clerkWebhook = (request${typed(dialect, 'Request')}) => sharedClerkSync().fetch(request)\n`

const whereFetch = (path: string) => [
  '// first in the fetch handler',
  `if (new URL(request.url).pathname === '${path}') return clerkWebhook(request)`,
]

const nodeHandler = `import { createNodeHandler } from 'clerk-sync/node'\n\nexport const clerkWebhook = createNodeHandler()\n`

/** Those that bring a server of their own come first: an app of one often has Express beside it. */
export const RECIPES = {
  sveltekit: {
    name: 'SvelteKit',
    packages: ['@sveltejs/kit'],
    write: (dialect, path) => byName(`src/routes${path}/+server`, `${SHARED}\n${exported('POST', dialect)}`),
  },
  nuxt: {
    name: 'Nuxt',
    packages: ['nuxt'],
    write: (_, path) => byName(`server${path}.post`, NUXT),
  },
  nitro: {
    name: 'Nitro',
    packages: ['nitro'],
    write: (dialect, path) =>
      byName(
        `routes${path}.post`,
        `${SHARED}\nexport default ({ req }${typed(dialect, '{ req: Request }')}) => sharedClerkSync().fetch(req)\n`,
      ),
  },
  astro: {
    name: 'Astro',
    packages: ['astro'],
    write: (dialect, path) =>
      byName(`src/pages${path}`, `${SHARED}\nexport const prerender = false\n${exported('POST', dialect)}`),
  },
  'react-router': {
    name: 'React Router',
    packages: ['@react-router/dev', '@remix-run/dev'],
    write: (dialect, path) => ({
      stem: 'app/routes/clerk-webhook',
      text: `${SHARED}\n${exported('action', dialect)}`,
      paste: [
        '// in app/routes.ts',
        `route('${path.slice(1)}', 'routes/clerk-webhook.${dialect.isTypeScript ? 'ts' : 'js'}'),`,
      ],
    }),
  },
  'tanstack-start': {
    name: 'TanStack Start',
    packages: ['@tanstack/react-start'],
    write: (_, path) => byName(`src/routes${path}`, tanStackStart(path)),
  },
  elysia: {
    name: 'Elysia',
    packages: ['elysia'],
    write: (dialect, path) => imported(dialect, elysia(path), ['app.use(clerkWebhook)']),
  },
  nest: {
    name: 'NestJS',
    packages: ['@nestjs/core'],
    write: (dialect) => imported(dialect, NEST, ['// in the module of the app', 'imports: [clerkWebhook],']),
  },
  firebase: {
    name: 'Firebase functions',
    packages: ['firebase-functions'],
    write: (dialect) => imported(dialect, FIREBASE, ['export { clerkWebhook }']),
  },
  'cloud-functions': {
    name: 'Cloud Functions',
    packages: ['@google-cloud/functions-framework'],
    write: (dialect) => imported(dialect, nodeHandler, ['export { clerkWebhook }']),
  },
  workers: {
    name: 'Cloudflare Workers',
    packages: ['wrangler', '@cloudflare/workers-types'],
    write: (dialect, path) =>
      imported(dialect, workers(dialect), [
        '// first in the fetch handler; HYPERDRIVE is the binding of a Hyperdrive',
        `if (new URL(request.url).pathname === '${path}') return clerkWebhook(request, env, context)`,
      ]),
  },
  lambda: {
    name: 'AWS Lambda',
    packages: ['@types/aws-lambda', 'serverless', 'sst', '@middy/core'],
    write: ({ hasSrc }) => ({ stem: `${hasSrc ? 'src/' : ''}clerk-webhook`, text: LAMBDA, paste: [] }),
  },
  koa: {
    name: 'Koa',
    packages: ['koa'],
    write: (dialect, path) =>
      imported(dialect, KOA, [
        `router.post('${path}', clerkWebhook) // app.use(router.routes()) above body parsers`,
      ]),
  },
  bun: {
    name: 'Bun',
    packages: ['@types/bun', 'bun-types'],
    write: (dialect, path) => imported(dialect, fetchHandler(dialect), whereFetch(path)),
  },
  deno: {
    name: 'Deno',
    packages: ['deno', '@types/deno'],
    write: (dialect, path) => imported(dialect, fetchHandler(dialect), whereFetch(path)),
  },
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

const NUXT = `${SHARED}import { defineEventHandler, toWebRequest } from 'h3'

export default defineEventHandler((event) => sharedClerkSync().fetch(toWebRequest(event)))
`

function tanStackStart(path: string): string {
  return `import { createFileRoute } from '@tanstack/react-router'

export const Route = createFileRoute('${path}')({
  server: {
    handlers: {
      POST: async ({ request }) => {
        // Imported here, the package stays out of the browser's bundle.
        const { sharedClerkSync } = await import('clerk-sync')
        return sharedClerkSync().fetch(request)
      },
    },
  },
})
`
}

function elysia(path: string): string {
  return `${SHARED}import { Elysia } from 'elysia'

// The signature covers the exact bytes of the body.
export const clerkWebhook = new Elysia().post(
  '${path}',
  ({ request }) => sharedClerkSync().fetch(request),
  { parse: 'none' },
)
`
}

const NEST = `import { ClerkSyncModule } from 'clerk-sync/nest'

export const clerkWebhook = ClerkSyncModule.forRoot()
`

const FIREBASE = `import { createNodeHandler } from 'clerk-sync/node'
import { onRequest } from 'firebase-functions/https'

export const clerkWebhook = onRequest(createNodeHandler())
`

const LAMBDA = `import { createLambdaHandler } from 'clerk-sync/lambda'

export const handler = createLambdaHandler()
`

const KOA = `import { createKoaHandler } from 'clerk-sync/koa'

export const clerkWebhook = createKoaHandler()
`

function workers(dialect: Dialect): string {
  const env = typed(
    dialect,
    '{ CLERK_WEBHOOK_SIGNING_SECRET: string; HYPERDRIVE: { connectionString: string } }',
  )
  const context = typed(dialect, '{ waitUntil(promise: Promise<unknown>): void }')
  return `import { createClerkSync } from 'clerk-sync'

// A Worker may not use a connection that another request opened.
export async function clerkWebhook(request${typed(dialect, 'Request')}, env${env}, context${context}) {
  const sync = createClerkSync({
    signingSecret: env.CLERK_WEBHOOK_SIGNING_SECRET,
    database: env.HYPERDRIVE.connectionString,
  })
  const response = await sync.fetch(request)
  context.waitUntil(sync.close())
  return response
}
`
}
