import { createPathMatcher } from '@clerk/shared/pathMatcher'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesPattern } from '../../src/middleware/pattern.ts'
import { judgeMiddleware } from '../../src/middleware/verdict.ts'
import { SHAPES } from './shapes.ts'

const ROUTE = '/api/webhooks/clerk'

function verdictOn(text: string, path = ROUTE): string {
  const verdict = judgeMiddleware(text, path)
  return verdict.kind === 'public' ? verdict.kind : `${verdict.kind}:${verdict.line}`
}

describe('what a middleware does to webhooks', () => {
  it.each(SHAPES)('$what: $verdict', ({ text, verdict }) => {
    expect(verdictOn(text)).toBe(verdict)
  })

  it('is told of many shapes, each of them different', () => {
    expect(new Set(SHAPES.map(({ text }) => text)).size).toBe(SHAPES.length)
    expect(SHAPES.length).toBeGreaterThan(40)
  })

  it('depends on the path of the route', () => {
    const text = `export default clerkMiddleware(async (auth, request) => {
  if (request.nextUrl.pathname !== '/hooks') await auth.protect()
})`
    expect([verdictOn(text, '/hooks'), verdictOn(text)]).toEqual(['public', 'protected:2'])
  })
})

/** Parts of patterns and paths, so that random ones match now and then. */
const SEGMENT = fc.constantFrom('api', 'webhooks', 'clerk', 'a.b', 'en', 'API')
const PATH = fc.array(SEGMENT, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const PART = fc.constantFrom(
  '/api',
  '/webhooks',
  '/clerk',
  '(.*)',
  '/(.*)',
  '/:path*',
  '/:path+',
  '/:path?',
  '/:kind',
  '{/:x}?',
  '/(api|trpc)',
  '/((?!api).*)',
  '/:locale(en|de)?',
  '\\:',
  '/',
  ':a-:b',
  '(',
  '{',
  '*',
)
const PATTERN = fc.array(PART, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))

describe('a pattern', () => {
  it.each([
    '/',
    '/api',
    '/api/(.*)',
    '/api(.*)',
    '/api/:path*',
    '/api/:path+',
    '/:path*',
    '/:locale?/api/:path*',
    '/(api|trpc)(.*)',
    '/((?!api|_next).*)',
    '/api{/:x}?{/:y}?',
    '/api/:kind/clerk',
    '/API/:path*',
    '/:a-:b',
    '(.*)',
    '/api/webhooks/clerk/',
  ])('%s matches what Clerk’s own matcher matches', (pattern) => {
    for (const path of [ROUTE, `${ROUTE}/`, '/', '/api', '/en/api/webhooks', '/_next/x', '/a-b']) {
      expect([path, matchesPattern(pattern, path)]).toEqual([path, createPathMatcher(pattern)(path)])
    }
  })

  it('matches, or is invalid, as in Clerk’s own matcher, whatever it is', () => {
    fc.assert(
      fc.property(PATTERN, PATH, (pattern, path) => {
        expect(matchesPattern(pattern, path)).toBe(clerks(pattern, path))
      }),
      { numRuns: 2_000 },
    )
  })

  function clerks(pattern: string, path: string): boolean | undefined {
    let matches: (path: string) => boolean
    try {
      matches = createPathMatcher(pattern)
    } catch {
      return undefined
    }
    return matches(path)
  }
})

describe('reading any source', () => {
  it('answers, whatever was cut out of a middleware or put into it', () => {
    const shape = fc.constantFrom(...SHAPES.map(({ text }) => text))
    const noise = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '(',
        '}',
        '`${',
        '/*',
        '*/',
        '//',
        '=>',
        'await ',
        '...',
        '?.',
        '!',
        'return ',
        'while(1)',
        '/',
        "'",
        '\u0000',
      ),
    )
    fc.assert(
      fc.property(shape, fc.nat(1_000), fc.nat(40), noise, (text, at, length, put) => {
        const start = at % (text.length + 1)
        const damaged = text.slice(0, start) + put + text.slice(start + length)
        expect(verdictOn(damaged)).toMatch(/^(public|(protected|unclear):\d+)$/)
      }),
      { numRuns: 3_000, examples: CORPUS.map((text) => [text, 0, 0, '']) },
    )
  })

  it('is not changed by comments, blanks and strings', () => {
    const comment = fc.constantFrom(
      "// if (request.nextUrl.pathname.startsWith('/api/webhooks')) return\n",
      '/* await auth.protect() */ ',
      "/* createRouteMatcher(['/api/webhooks(.*)']) */",
      '\n\n',
      "'auth.protect()';\n",
    )
    const shape = fc.constantFrom(...SHAPES.filter(({ text }) => text.startsWith('import')))
    fc.assert(
      fc.property(shape, fc.array(comment, { maxLength: 3 }), ({ text, verdict }, comments) => {
        const kind = verdict.split(':')[0]
        expect(judgeMiddleware(`${comments.join('')}${text}\n${comments.join('')}`, ROUTE).kind).toBe(kind)
      }),
      { numRuns: 500 },
    )
  })
})

/** Sources that once led the reader astray, or might. */
const CORPUS = [
  'export default clerkMiddleware((a, b, ...c) => a?.b?.[c](...b))',
  'export default function* () { yield 1 }',
  'export default class { static { throw 1 } }',
  'export const config = { matcher: [,] }\nexport default clerkMiddleware()',
  "export const config = { ...other, matcher: '/x' }\nexport default clerkMiddleware()",
  'export default clerkMiddleware(clerkMiddleware)',
  'const f = () => f()\nf()\nexport default f',
  'export default createRouteMatcher(createRouteMatcher)',
  'export default [].map',
  'export default "x".split()',
  "export default 'x'.startsWith(/x/)",
  'const { a: { b } = {}, ...c } = null\nexport default b',
  'let a\na = b = c\nexport default a',
  'export default authMiddleware({ publicRoutes: authMiddleware, beforeAuth: () => false })',
  'if (x) { throw 1 }\nexport default clerkMiddleware()',
  'export default new URL(new URL(x))',
  'export default (a, b) => a`x`',
  `export default ${'('.repeat(500)}1${')'.repeat(500)}`,
  `export default ${'a => '.repeat(500)}1`,
  `export default ${'!'.repeat(5_000)}1`,
]
