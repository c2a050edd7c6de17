/**
 * The webhook route, seen from outside: three requests that leave no trace in clerk-sync, and what their answers say
 * together. Unsigned, signed, and signed over indented JSON, which only raw bytes survive.
 */

import { formatDuration } from '../duration.ts'
import { PROBE_TYPE } from '../reply.ts'
import { signDelivery } from '../testing/sign.ts'
import { probeHeaders } from '../webhook/probe.ts'
import { type Check, found, passed, type Result, toResult } from './check.ts'
import { examineProtection, findRoute, type Project, servedPath } from './project.ts'
import { explainAnswer, isOk, isPage, type Outcome, ownCode, post, type RouteAnswer } from './send.ts'

interface ProbeOptions {
  readonly url: URL
  /** The secret to sign with; undefined if there is none that works. */
  readonly secret: string | undefined
  readonly timeoutMs: number
  readonly project: Project
}

const EVENT = { type: PROBE_TYPE, object: 'event', data: { id: 'probe', object: 'probe' } }
const GRACE_MS = 1_000

export function routeCheck(options: ProbeOptions): Check {
  return {
    group: 'route',
    name: 'probe',
    limitMs: options.timeoutMs + GRACE_MS,
    run: async () => [...checkAddress(options.url), ...(await probe(options))],
  }
}

function checkAddress({ protocol, hostname }: URL): Result[] {
  const isLocal = /^(localhost|127\.|\[::1\])/.test(hostname)
  return protocol === 'http:' && !isLocal ? [found('url_insecure')] : []
}

async function probe(options: ProbeOptions): Promise<Result[]> {
  const { url, secret, timeoutMs } = options
  const bodies = [JSON.stringify(EVENT), JSON.stringify(EVENT, null, 2)]
  const deliveries = secret === undefined ? [] : bodies.map((body) => signDelivery(body, { secret }))
  // Without a secret the route counts it as any other refusal.
  const unsignedHeaders = secret === undefined ? {} : probeHeaders(secret, Date.now())
  const [unsigned, signed, indented] = await Promise.all([
    post(url, { headers: unsignedHeaders, body: Buffer.from(JSON.stringify(EVENT)) }, timeoutMs),
    ...deliveries.map((delivery) => post(url, delivery, timeoutMs)),
  ])
  const result = judge(unsigned as Outcome, signed, indented, options)
  return [pointAt(result, options), ...checkPace([signed, indented], options)]
}

/** The first thing that is wrong. */
function judge(
  unsigned: Outcome,
  signed: Outcome | undefined,
  indented: Outcome | undefined,
  { url }: ProbeOptions,
): Result {
  if ('code' in unsigned) return toResult(unsigned)
  if (isOk(unsigned)) return isPage(unsigned) ? found('page_answered') : found('unsigned_accepted')
  if (signed === undefined || indented === undefined) return judgeUnsigned(unsigned)
  if ('code' in signed) return toResult(signed)
  if (!isOk(signed)) return judgeRefusal(signed)
  if (isPage(signed)) return found('page_answered')
  if ('code' in indented) return toResult(indented)
  if (!isOk(indented)) return found('body_rewritten')
  const who = isOwn(unsigned) ? 'clerk-sync' : 'A webhook route'
  return passed(
    `${who} answers at ${url.href} and verifies with the secret set here (${formatDuration(signed.ms)}).`,
  )
}

function judgeRefusal(signed: RouteAnswer): Result {
  if (ownCode(signed.text) === 'signature_mismatch') return found('secret_differs')
  return toResult(explainAnswer(signed))
}

/** Without a secret there is nothing to say about signatures. */
function judgeUnsigned(unsigned: RouteAnswer): Result {
  if (!isOwn(unsigned)) return toResult(explainAnswer(unsigned))
  return passed('clerk-sync answers. Set the signing secret here to test a signed delivery as well.')
}

function isOwn({ text }: RouteAnswer): boolean {
  return ownCode(text) === 'headers_missing'
}

/** A third of the time that Svix waits: under load it will be more. */
function checkPace(outcomes: readonly (Outcome | undefined)[], { timeoutMs }: ProbeOptions): Result[] {
  const slowest = Math.max(...outcomes.map((each) => (each && !('code' in each) ? each.ms : 0)))
  return slowest > timeoutMs / 3 ? [found('route_slow', `it took ${formatDuration(slowest)}`)] : []
}

/** The line in this project that does it, by the code of a problem. */
const CULPRITS: Readonly<Record<string, RegExp>> = {
  body_already_parsed: /\b(express|bodyParser)\.(json|urlencoded|text|raw)\s*\(/,
  body_rewritten: /\b(express|bodyParser)\.(json|urlencoded|text)\s*\(/,
}

function pointAt(result: Result, { project, url }: ProbeOptions): Result {
  const line = CULPRITS[result.code ?? '']
  const place = line
    ? project.findLine(line)
    : (protectingLine(result, project) ?? otherPath(result, project, url))
  return place === undefined ? result : { ...result, remedy: `${place}. ${result.remedy}` }
}

/** The line of the project’s own middleware, if it is what protects the route. */
function protectingLine({ code }: Result, project: Project): string | undefined {
  if (code !== 'route_protected') return undefined
  const protection = examineProtection(project)
  return protection?.verdict === 'protected' ? protection.place : undefined
}

/** Where Next.js has the route, if that is not where it was looked for. */
function otherPath({ code }: Result, project: Project, { pathname }: URL): string | undefined {
  if (code !== 'route_not_found') return undefined
  const route = findRoute(project)
  const served = route && servedPath(route.path)
  return served && served !== pathname ? `${route.path} is served at ${served}` : undefined
}
