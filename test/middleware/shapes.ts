/** Shapes of middleware that people write, with the line that keeps a webhook out. */

export interface Shape {
  readonly what: string
  readonly text: string
  /** `public`, `protected:3`, `unclear:3`. */
  readonly verdict: string
}

const IMPORT = "import { clerkMiddleware, createRouteMatcher } from '@clerk/nextjs/server'\n"

function shape(what: string, verdict: string, text: string): Shape {
  return { what, verdict, text: IMPORT + text }
}

function listed(what: string, verdict: string, list: string, condition: string, more = ''): Shape {
  return shape(
    what,
    verdict,
    `const isListed = createRouteMatcher(${list})
export default clerkMiddleware(async (auth, request) => { if (${condition}) await auth.protect() })
${more}`,
  )
}

function handler(what: string, verdict: string, body: string, before = ''): Shape {
  return shape(
    what,
    verdict,
    `${before}
export default clerkMiddleware(async (auth, request) => {
  ${body}
})`,
  )
}

const MATCHER =
  "export const config = { matcher: ['/((?!_next|[^?]*\\\\.(?:html?|css)).*)', '/(api|trpc)(.*)'] }"

export const SHAPES: readonly Shape[] = [
  shape('bare', 'public', 'export default clerkMiddleware()'),
  shape('bare, with options', 'public', 'export default clerkMiddleware({ debug: true })'),
  shape('bare, with the usual matcher', 'public', `export default clerkMiddleware()\n${MATCHER}`),
  handler('everything protected', 'protected:4', 'await auth.protect()'),
  handler('everything protected, as in version 5', 'protected:4', 'auth().protect()'),
  handler('everything protected, by the session', 'protected:4', '(await auth()).protect()'),
  listed('a public list without webhooks', 'protected:3', "['/', '/sign-in(.*)']", '!isListed(request)'),
  listed('a public list with (.*)', 'public', "['/api/webhooks(.*)']", '!isListed(request)'),
  listed('a public list with :path*', 'public', "['/api/webhooks/:path*']", '!isListed(request)'),
  listed('a public list with :path+', 'public', "['/api/webhooks/:path+']", '!isListed(request)'),
  listed('a public list with :path?', 'public', "['/api/webhooks/:path?']", '!isListed(request)'),
  listed('a public list with a name', 'public', "['/api/:kind/clerk']", '!isListed(request)'),
  listed('a public list with a group', 'public', "['/api/webhooks{/:x}?']", '!isListed(request)'),
  listed('a public string', 'public', "'/api/webhooks/:path*'", '!isListed(request)'),
  listed('a public pattern', 'public', '[/^\\/api\\/webhooks/]', '!isListed(request)'),
  listed('a public list of another depth', 'protected:3', "['/api/webhooks']", '!isListed(request)'),
  listed(
    'a pattern with a language',
    'public',
    "['/:locale?/webhooks/:path*', '/api/webhooks/(.*)']",
    '!isListed(request)',
  ),
  listed(
    'a protected list with :path*',
    'protected:3',
    "['/dashboard/:path*', '/api/:path*']",
    'isListed(request)',
  ),
  listed('a protected list of pages', 'public', "['/dashboard/:path*']", 'isListed(request)'),
  listed('a protected list with everything', 'protected:3', "['/:path*']", 'isListed(request)'),
  listed('an invalid pattern', 'unclear:3', "['/api/(']", '!isListed(request)'),
  listed('a list from elsewhere', 'unclear:3', 'publicRoutes', '!isListed(request)'),
  listed('a list with more in it', 'unclear:3', "[...publicRoutes, '/sign-in']", '!isListed(request)'),
  listed(
    'a list with more in it, which is enough',
    'public',
    "[...publicRoutes, '/api/webhooks/clerk']",
    '!isListed(request)',
  ),
  listed('another condition too', 'protected:3', "['/api/(.*)']", 'isListed(request) || isOther'),
  listed(
    'a condition that is unknown',
    'unclear:3',
    "['/dashboard']",
    'isListed(request) || isOther(request)',
  ),
  listed('a negated group', 'protected:3', "['/sign-in']", '!(isListed(request) || false)'),
  listed(
    'a matcher that leaves /api out',
    'public',
    "['/sign-in']",
    '!isListed(request)',
    "export const config = { matcher: ['/((?!api|_next|.*\\\\..*).*)'] }",
  ),
  listed('the usual matcher', 'protected:3', "['/sign-in']", '!isListed(request)', MATCHER),
  listed(
    'a matcher as a string',
    'public',
    "['/sign-in']",
    '!isListed(request)',
    "export const config = { matcher: '/dashboard/:path*' }",
  ),
  listed(
    'a matcher of objects',
    'protected:3',
    "['/sign-in']",
    '!isListed(request)',
    "export const config = { matcher: [{ source: '/api/:path*' }] }",
  ),
  listed(
    'a matcher with a condition',
    'unclear:3',
    "['/sign-in']",
    '!isListed(request)',
    "export const config = { matcher: [{ source: '/api/:path*', missing: [{ type: 'header', key: 'x' }] }] }",
  ),
  listed(
    'a matcher from elsewhere',
    'unclear:3',
    "['/sign-in']",
    '!isListed(request)',
    'export const config = { matcher: paths }',
  ),
  handler(
    'an exit for a list',
    'public',
    'if (isListed(request)) return\n  await auth.protect()',
    "const isListed = createRouteMatcher(['/api/webhooks(.*)'])",
  ),
  handler(
    'an exit for another list',
    'protected:5',
    'if (isListed(request)) return NextResponse.next()\n  await auth.protect()',
    "const isListed = createRouteMatcher(['/sign-in(.*)'])",
  ),
  handler(
    'an exit by startsWith',
    'public',
    "if (request.nextUrl.pathname.startsWith('/api/webhooks')) return\n  await auth.protect()",
  ),
  handler(
    'an exit by startsWith elsewhere',
    'protected:5',
    "if (request.nextUrl.pathname.startsWith('/public')) return\n  await auth.protect()",
  ),
  handler(
    'an exit by a destructured path',
    'public',
    "const { pathname } = request.nextUrl\n  if (pathname === '/api/webhooks/clerk') return NextResponse.next()\n  await auth.protect()",
  ),
  handler(
    'an exit by the URL',
    'public',
    "if (new URL(request.url).pathname.includes('webhook')) return\n  await auth.protect()",
  ),
  handler(
    'an exit by some()',
    'public',
    'if (OPEN.some((path) => request.nextUrl.pathname.startsWith(path))) return\n  await auth.protect()',
    "const OPEN = ['/sign-in', '/api/webhooks']",
  ),
  handler(
    'an exit by a pattern',
    'public',
    'if (/^\\/api\\/webhooks/.test(request.nextUrl.pathname)) return\n  await auth.protect()',
  ),
  handler(
    'an exit by the header',
    'public',
    "if (request.headers.get('svix-id')) return\n  await auth.protect()",
  ),
  handler(
    'an exit for signed-in people',
    'protected:5',
    'if ((await auth()).userId) return\n  await auth.protect()',
  ),
  handler(
    'a redirect of one’s own',
    'protected:5',
    "const { userId } = await auth()\n  if (!userId && !isListed(request)) return NextResponse.redirect(new URL('/sign-in', request.url))",
    "const isListed = createRouteMatcher(['/sign-in(.*)'])",
  ),
  handler(
    'a 401 of one’s own',
    'protected:5',
    "const { userId } = await auth()\n  if (!userId && request.nextUrl.pathname.startsWith('/api')) return NextResponse.json({ error: 'Unauthorized' }, { status: 401 })",
  ),
  handler(
    'a response of one’s own',
    'protected:4',
    "if (request.nextUrl.pathname.startsWith('/api')) return new Response(null, { status: 401 })",
  ),
  handler(
    'redirectToSignIn',
    'protected:5',
    'const { userId, redirectToSignIn } = await auth()\n  if (!userId) return redirectToSignIn()',
  ),
  handler('a thrown error', 'protected:4', "throw new Error('no')"),
  handler(
    'a denial that is caught',
    'protected:4',
    "try { await auth.protect() } catch { return NextResponse.redirect('/') }",
  ),
  handler(
    'a denial that is swallowed',
    'public',
    'try { await auth.protect() } catch { return NextResponse.next() }',
  ),
  handler(
    'a switch',
    'public',
    "switch (request.nextUrl.pathname) { case '/api/webhooks/clerk': return; default: await auth.protect() }",
  ),
  handler(
    'a loop',
    'public',
    "for (const open of ['/a', '/api/webhooks']) if (request.nextUrl.pathname.startsWith(open)) return\n  await auth.protect()",
  ),
  handler(
    'a helper of its own',
    'protected:2',
    'return guard(auth)',
    'const guard = (auth) => auth.protect()',
  ),
  handler('a helper from elsewhere', 'unclear:4', 'await guard(auth, request)'),
  handler('an answer from elsewhere', 'unclear:3', 'return updateSession(request)'),
  handler('a rewrite', 'unclear:3', "return NextResponse.rewrite(new URL('/x', request.url))"),
  handler('a log line', 'public', 'console.log(request.url)'),
  handler(
    'the route in a comment',
    'protected:4',
    "await auth.protect() // not for '/api/webhooks/clerk'",
    "// const isPublic = createRouteMatcher(['/api/webhooks/clerk'])",
  ),
  handler('protect() in a comment', 'public', '/* await auth.protect() */ return NextResponse.next()'),
  handler('protect() in a string', 'public', "console.log('auth.protect()')"),
  shape(
    'a short form with ||',
    'protected:3',
    "const isListed = createRouteMatcher(['/'])\nexport default clerkMiddleware(async (auth, request) => { isListed(request) || (await auth.protect()) })",
  ),
  shape(
    'a short form with &&',
    'public',
    "const isListed = createRouteMatcher(['/'])\nexport default clerkMiddleware(async (auth, request) => { isListed(request) && (await auth.protect()) })",
  ),
  shape(
    'types',
    'protected:3',
    'type Paths = readonly string[]\nexport default clerkMiddleware(async (auth, request: NextRequest): Promise<void> => { await auth!.protect() })',
  ),
  shape(
    'a named export',
    'protected:2',
    'export const proxy = clerkMiddleware(async (auth) => { await auth.protect() })',
  ),
  shape(
    'a function around it',
    'protected:3',
    'export function middleware(request, event) {\n  return clerkMiddleware(async (auth) => auth.protect())(request, event)\n}',
  ),
  shape(
    'an export by name',
    'public',
    'const middleware = clerkMiddleware()\nexport { middleware as default }',
  ),
  {
    what: 'CommonJS',
    verdict: 'protected:2',
    text: "const { clerkMiddleware } = require('@clerk/nextjs/server')\nmodule.exports = clerkMiddleware(async (auth) => auth.protect())",
  },
  {
    what: 'another name for it',
    verdict: 'public',
    text: "import { clerkMiddleware as clerk } from '@clerk/nextjs/server'\nexport default clerk()",
  },
  {
    what: 'authMiddleware alone',
    verdict: 'protected:2',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware()",
  },
  {
    what: 'publicRoutes',
    verdict: 'public',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware({ publicRoutes: ['/', '/api/webhooks(.*)'] })",
  },
  {
    what: 'publicRoutes without it',
    verdict: 'protected:2',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware({ publicRoutes: ['/'] })",
  },
  {
    what: 'publicRoutes as a string',
    verdict: 'public',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware({ publicRoutes: '/api/webhooks/:path*' })",
  },
  {
    what: 'publicRoutes as a function',
    verdict: 'public',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware({ publicRoutes: (request) => request.nextUrl.pathname.startsWith('/api/') })",
  },
  {
    what: 'ignoredRoutes',
    verdict: 'public',
    text: "import { authMiddleware } from '@clerk/nextjs'\nexport default authMiddleware({ ignoredRoutes: ['/api/webhooks/(.*)'] })",
  },
  {
    what: 'afterAuth',
    verdict: 'protected:3',
    text: "import { authMiddleware, redirectToSignIn } from '@clerk/nextjs'\nexport default authMiddleware({ afterAuth(auth, request) {\n  if (!auth.userId && !auth.isPublicRoute) return redirectToSignIn({ returnBackUrl: request.url })\n} })",
  },
  {
    what: 'next-intl alone',
    verdict: 'protected:2',
    text: "import createMiddleware from 'next-intl/middleware'\nexport default createMiddleware({ locales: ['en'], defaultLocale: 'en' })",
  },
  {
    what: 'next-intl beside Clerk',
    verdict: 'protected:5',
    text: `${IMPORT}import createMiddleware from 'next-intl/middleware'\nconst intl = createMiddleware(routing)\nexport default clerkMiddleware(async (auth, request) => {\n  return intl(request)\n})`,
  },
  {
    what: 'next-intl but for the API',
    verdict: 'public',
    text: `${IMPORT}import createMiddleware from 'next-intl/middleware'\nconst intl = createMiddleware(routing)\nexport default clerkMiddleware(async (auth, request) => {\n  if (request.nextUrl.pathname.startsWith('/api')) return\n  return intl(request)\n})`,
  },
  {
    what: 'a chain',
    verdict: 'unclear:2',
    text: "import { chain } from './chain'\nexport default chain([withAuth, withLanguage])",
  },
  { what: 'another library', verdict: 'unclear:1', text: "export { auth as middleware } from './auth'" },
  {
    what: 'a function of one’s own named like Clerk’s',
    verdict: 'unclear:2',
    text: "import { clerkMiddleware } from './mine'\nexport default clerkMiddleware()",
  },
  {
    what: 'a cookie of one’s own',
    verdict: 'protected:3',
    text: "import { NextResponse } from 'next/server'\nexport function middleware(request) {\n  if (!request.cookies.get('session')) return NextResponse.redirect(new URL('/', request.url))\n}",
  },
  { what: 'no JavaScript', verdict: 'unclear:1', text: 'export default {' },
  {
    what: 'an endless loop',
    verdict: 'unclear:1',
    text: 'export default function middleware() { while (true) {} }',
  },
  {
    what: 'an endless recursion',
    verdict: 'unclear:1',
    text: 'export default function middleware() { return middleware() }',
  },
  { what: 'nothing', verdict: 'unclear:1', text: '' },
]
