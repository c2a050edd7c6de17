/** Whether Clerk's middleware keeps webhooks out, read from its source: an advice, not a verdict. `doctor --url` asks the route. */

import type { Project } from '../doctor/project.ts'
import { ROUTE_PATH } from './frameworks.ts'

const MIDDLEWARE = /^(src[\\/])?(proxy|middleware)\.[cm]?[jt]s$/
const PROTECTS = /\.protect\(|\bauthMiddleware\(|redirectToSignIn\(/
/** A matcher of a list; no name and no list where it is made in a way that is not read here. */
const MATCHER =
  /(?:(?:const|let|var)\s+(\w+)\s*=\s*)?createRouteMatcher\((?:\s*\[((?:\/\/.*\n|\/\*[\s\S]*?\*\/|'[^'\n]*'|"[^"\n]*"|`[^`$\n]*`|[\s,])*)\]\s*,?\s*\))?/g
const IF = /\bif\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)(?=\s*(\{[^}]*|[^;}\n]*))/g
/** `isPublic(request) || auth.protect()`, and the same with `&&`. */
const SHORT = /^((?!.*\bif\b)[^;\n]*)(\|\||&&)\s*[^;|&\n]*(?:\.protect|redirectToSignIn)\(/gm

interface Matcher {
  readonly name: string | undefined
  readonly at: number
  /** What is done with the routes that it lists; undefined if that cannot be told. */
  readonly role: 'public' | 'protected' | undefined
  readonly hasRoute: boolean
}

/** What to change, and in which line; undefined if the route is public. */
export function protectionOf(project: Project): string | undefined {
  const file = project.files.find(({ path }) => MIDDLEWARE.test(path))
  if (!file || !PROTECTS.test(file.text)) return undefined
  const matchers = matchersIn(file.text)
  const place = (at: number) => `${file.path}:${file.text.slice(0, at).split('\n').length}`
  const publicOnes = matchers.filter(({ role }) => role === 'public')
  if (publicOnes.some(({ hasRoute }) => hasRoute) || file.text.includes(ROUTE_PATH)) return undefined
  const unclear = matchers.find(({ role }) => role === undefined)
  if (unclear)
    return `${place(unclear.at)} may keep webhooks out. Ask the running app: clerk-sync doctor --url https://YOUR-APP${ROUTE_PATH}`
  const [open] = publicOnes
  if (open) return `${place(open.at)} keeps webhooks out. Add '/api/webhooks/(.*)' to ${open.name} there.`
  const protecting = matchers.find(({ hasRoute }) => hasRoute)
  if (protecting)
    return `${place(protecting.at)} keeps webhooks out. Let ${protecting.name} not match ${ROUTE_PATH}.`
  if (matchers.length > 0) return undefined
  const at = file.text.search(PROTECTS)
  return `${place(at)} keeps webhooks out. Write there: if (request.nextUrl.pathname !== '${ROUTE_PATH}') await auth.protect()`
}

function matchersIn(text: string): Matcher[] {
  const decisions = decisionsIn(text)
  return [...text.matchAll(MATCHER)].map(({ 1: name, 2: list, index }) => ({
    name,
    at: index,
    role: name === undefined || list === undefined ? undefined : roleOf(name, decisions),
    hasRoute: patternsIn(list ?? '').some(matchesRoute),
  }))
}

interface Decision {
  readonly condition: string
  /** What becomes of the requests that the condition holds for. */
  readonly role: 'public' | 'protected'
}

/** Those that protect first: a request may be sent on for other reasons too. */
function decisionsIn(text: string): Decision[] {
  const ifs = [...text.matchAll(IF)].map(([, condition = '', then = '']) => ({ condition, then }))
  const guards = ifs.filter(({ then }) => PROTECTS.test(then))
  const exits = ifs.filter(({ then }) => /\breturn\b(?!.*(redirect|protect\())/i.test(then))
  return [
    ...guards.map(({ condition }): Decision => ({ condition, role: 'protected' })),
    ...[...text.matchAll(SHORT)].map(
      ([, condition = '', operator]): Decision => ({
        condition,
        role: operator === '||' ? 'public' : 'protected',
      }),
    ),
    ...exits.map(({ condition }): Decision => ({ condition, role: 'public' })),
  ]
}

function roleOf(name: string, decisions: readonly Decision[]): Matcher['role'] {
  const use = new RegExp(`(!\\s*)?\\b${name}\\([^()]*\\)(\\s*===?\\s*false)?`)
  for (const { condition, role } of decisions) {
    const [found, not, isFalse] = use.exec(condition) ?? []
    if (found === undefined) continue
    if (/!\s*\(/.test(condition)) return undefined
    const isNegated = (not === undefined) !== (isFalse === undefined)
    return isNegated === (role === 'protected') ? 'public' : 'protected'
  }
  return undefined
}

function patternsIn(list: string): string[] {
  const tokens = list.matchAll(/\/\/.*|\/\*[\s\S]*?\*\/|(['"`])(.*?)\1/g)
  return [...tokens].flatMap(([, , pattern]) => pattern ?? [])
}

/** As Clerk reads them: a path with groups in brackets and `:names`. */
function matchesRoute(pattern: string): boolean {
  try {
    return new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}/?$`).test(ROUTE_PATH)
  } catch {
    return false
  }
}
