/** Whether Clerk's middleware keeps webhooks out, read from its source: an advice, not a verdict. `doctor --url` asks the route. */

import type { Project } from '../doctor/project.ts'
import { ROUTE_PATH } from './frameworks.ts'

const MIDDLEWARE = /^(src[\\/])?(proxy|middleware)\.[cm]?[jt]s$/
const PROTECTS = /\.protect\(|\bauthMiddleware\(|redirectToSignIn\(/
const MATCHER = /(?:const|let|var)\s+(\w+)\s*=\s*createRouteMatcher\(\s*\[([\s\S]*?)\]/g

interface Matcher {
  readonly name: string
  readonly at: number
  readonly isExcluding: boolean
  readonly hasRoute: boolean
}

/** What to change, and in which line; undefined if the route is public. */
export function protectionOf(project: Project): string | undefined {
  const file = project.files.find(({ path }) => MIDDLEWARE.test(path))
  if (!file || !PROTECTS.test(file.text)) return undefined
  const matchers = matchersIn(file.text)
  const place = (at: number) => `${file.path}:${file.text.slice(0, at).split('\n').length}`
  const excluding = matchers.filter(({ isExcluding }) => isExcluding)
  if (excluding.some(({ hasRoute }) => hasRoute) || file.text.includes(ROUTE_PATH)) return undefined
  const [publicOnes] = excluding
  if (publicOnes)
    return `${place(publicOnes.at)} keeps webhooks out. Add '/api/webhooks/(.*)' to ${publicOnes.name} there.`
  const protecting = matchers.find(({ hasRoute }) => hasRoute)
  if (protecting)
    return `${place(protecting.at)} keeps webhooks out. Let ${protecting.name} not match ${ROUTE_PATH}.`
  if (matchers.length > 0) return undefined
  const at = file.text.search(PROTECTS)
  return `${place(at)} keeps webhooks out. Write there: if (request.nextUrl.pathname !== '${ROUTE_PATH}') await auth.protect()`
}

function matchersIn(text: string): Matcher[] {
  return [...text.matchAll(MATCHER)].map(({ 1: name = '', 2: list = '', index }) => ({
    name,
    at: index,
    isExcluding: new RegExp(`!\\s*${name}\\(`).test(text),
    hasRoute: patternsIn(list).some(matchesRoute),
  }))
}

function patternsIn(list: string): string[] {
  return [...list.matchAll(/(['"`])(.*?)\1/g)].map(([, , pattern = '']) => pattern)
}

/** As Clerk reads them: a path with groups in brackets and `:names`. */
function matchesRoute(pattern: string): boolean {
  try {
    return new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}/?$`).test(ROUTE_PATH)
  } catch {
    return false
  }
}
