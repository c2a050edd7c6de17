import { clerkMiddleware } from '@clerk/nextjs/server'

// Without a callback it protects nothing, so the webhook route stays public. Protect pages in the pages themselves.
export default clerkMiddleware()

export const config = {
  matcher: ['/((?!_next|.*\\..*).*)', '/api/(.*)'],
}
