/** What the functions of Clerk, Next.js and next-intl do with a request that is signed in to nothing. */

import { matchesPattern } from './pattern.ts'
import { requestFor, urlFor } from './request.ts'
import {
  callable,
  deny,
  fieldsOf,
  giveUp,
  known,
  PASS,
  type Thing,
  textOf,
  thing,
  truthOf,
  UNDEFINED,
  UNKNOWN,
  type Value,
} from './value.ts'

const NULL = known(null)
const FALSE = known(false)
const DENY = callable((_, at) => deny(at))

/** By its name, whatever package exports it; undefined for a name that means nothing here. */
export function frameworkValue(name: string, path: string): Value | undefined {
  return Object.hasOwn(VALUES, name) ? VALUES[name]?.(path) : undefined
}

const VALUES: Readonly<Record<string, (path: string) => Value>> = {
  clerkMiddleware: (path) => callable((args) => clerkMiddleware(args, path)),
  withClerkMiddleware: (path) => callable((args) => clerkMiddleware(args.slice(0, 1), path, true)),
  authMiddleware: (path) => callable(([options], at) => authMiddleware(options, at, path)),
  createRouteMatcher: (path) => callable(([patterns]) => callable(() => matchesAny(patterns, path))),
  getAuth: () => callable(() => SIGNED_OUT),
  auth: () => SIGNED_OUT,
  redirectToSignIn: () => DENY,
  redirect: () => DENY,
  permanentRedirect: () => DENY,
  notFound: () => DENY,
  unauthorized: () => DENY,
  forbidden: () => DENY,
  NextResponse: () => NEXT_RESPONSE,
  Response: () => NEXT_RESPONSE,
  require: (path) => callable(() => thing({ get: (name) => frameworkValue(name, path) ?? UNKNOWN })),
  Boolean: () => callable(([value]) => toBoolean(value)),
}

function toBoolean(value: Value | undefined): Value {
  const truth = value && truthOf(value)
  return truth === undefined ? UNKNOWN : known(truth)
}

/** A session of nobody: the function of today, and the object that older versions pass. */
const SIGNED_OUT: Thing = thing({
  canDeny: true,
  call: () => SIGNED_OUT,
  get: fieldsOf({
    protect: DENY,
    redirectToSignIn: DENY,
    redirectToSignUp: DENY,
    has: callable(() => FALSE),
    getToken: callable(() => NULL),
    isAuthenticated: FALSE,
    isSignedIn: FALSE,
    userId: NULL,
    sessionId: NULL,
    sessionClaims: NULL,
    orgId: NULL,
    orgRole: NULL,
    orgSlug: NULL,
  }),
})

/** Any response made by the middleware keeps the request from the route, whatever its status is. */
const RESPOND = callable((_, at) => ({ kind: 'denial', at }))
const NEXT_RESPONSE: Thing = thing({
  get: fieldsOf({
    next: callable(() => PASS),
    redirect: RESPOND,
    json: RESPOND,
    error: RESPOND,
    // It may lead to the route or past it.
    rewrite: callable(() => UNKNOWN),
  }),
})

/** `new NextResponse()`, `new URL(request.url)`, `new Set([…])`. */
export function constructed(name: string, args: readonly Value[], at: number): Value {
  if (name === 'NextResponse' || name === 'Response') return { kind: 'denial', at }
  if (name === 'URL') return toUrl(args)
  return name === 'Set' && args[0]?.kind === 'list' ? args[0] : UNKNOWN
}

/** An address that is made of the request’s is the request’s; with a base it is another one. */
function toUrl([address, base]: readonly Value[]): Value {
  const path = address?.kind === 'thing' && !base ? textOf(address.get?.('pathname', 0)) : undefined
  return path === undefined ? UNKNOWN : urlFor(path)
}

/** It lets everything through but what its handler turns away. */
function clerkMiddleware(args: readonly Value[], path: string, isOld = false): Value {
  const handler = args.find((arg) => arg.kind === 'thing' && arg.call)
  if (handler?.kind !== 'thing')
    return args.some(({ kind }) => kind === 'unknown') ? UNKNOWN : callable(() => PASS)
  const request = requestFor(path)
  return callable((_, at) => handler.call?.(isOld ? [request] : [SIGNED_OUT, request], at) ?? UNKNOWN)
}

/** Of @clerk/nextjs 4: it protects everything but what its options leave out. */
function authMiddleware(given: Value | undefined, at: number, path: string): Value {
  if (given && given.kind !== 'record') return callable(() => UNKNOWN)
  const options = given?.fields ?? new Map<string, Value>()
  if (options.has('...')) return callable(() => UNKNOWN)
  return callable(() => {
    const request = requestFor(path)
    if (isIgnored(options.get('ignoredRoutes'), path, at)) return PASS
    const before = runHook(options.get('beforeAuth'), [request], at)
    if (before.kind === 'denial' || before.kind === 'unknown') return before
    if (truthOf(before) === false && before !== UNDEFINED) return PASS
    const isPublic = matchesAny(options.get('publicRoutes') ?? known('/'), path)
    return afterAuth(options.get('afterAuth'), isPublic, request, at)
  })
}

function isIgnored(routes: Value | undefined, path: string, at: number): boolean {
  return routes !== undefined && (truthOf(matchesAny(routes, path)) ?? giveUp(at))
}

function runHook(hook: Value | undefined, args: readonly Value[], at: number): Value {
  if (hook === undefined) return UNDEFINED
  return hook.kind === 'thing' && hook.call ? hook.call(args, at) : UNKNOWN
}

function afterAuth(hook: Value | undefined, isPublic: Value, request: Thing, at: number): Value {
  if (hook === undefined) return (truthOf(isPublic) ?? giveUp(at)) ? PASS : deny(at)
  const session = thing({
    ...SIGNED_OUT,
    get: (name, position) =>
      name === 'isPublicRoute' ? isPublic : (SIGNED_OUT.get?.(name, position) ?? UNKNOWN),
  })
  return runHook(hook, [session, request], at)
}

/** A list, one pattern, or a function of one’s own. */
function matchesAny(patterns: Value | undefined, path: string): Value {
  if (patterns?.kind === 'thing' && patterns.call) return patterns.call([requestFor(path)], 0)
  const items = patterns?.kind === 'list' ? patterns.items : [patterns]
  const matches = items.map((item) => matchesOne(item, path))
  if (matches.includes(true)) return known(true)
  return matches.includes(undefined) ? UNKNOWN : FALSE
}

function matchesOne(pattern: Value | undefined, path: string): boolean | undefined {
  if (pattern?.kind === 'pattern') return matchesPattern(pattern.value, path)
  const text = textOf(pattern)
  return text === undefined ? undefined : matchesPattern(text, path)
}

/** next-intl sends every path that it sees to one with a language, by a redirect or by a rewrite. */
export const LANGUAGE_MIDDLEWARE = callable(() => RESPOND)
