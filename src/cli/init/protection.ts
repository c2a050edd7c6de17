/** What to say about a middleware that keeps webhooks out: an advice from its source. `doctor --url` asks the route. */

import { findRoute, type Project, servedPath } from '../doctor/project.ts'
import { judgeMiddleware, type Verdict } from '../middleware/verdict.ts'
import { ROUTE_PATH } from './frameworks.ts'

const MIDDLEWARE = /^(src[\\/])?(proxy|middleware)\.[cm]?[jt]s$/

/** A middleware of the project, and what it does to the webhook route. */
export interface Protection {
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

export function howToOpen(path: string): string {
  return `Use a bare clerkMiddleware() and check the session in each page, layout or route that needs one. If the check must stay in the middleware, exempt the webhook: if (request.nextUrl.pathname !== '${path}') await auth.protect()`
}

export function howToAsk(path: string): string {
  return `Ask the running app: clerk-sync doctor --url https://YOUR-APP${path}`
}
