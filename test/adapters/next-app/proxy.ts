import { clerkMiddleware } from '@clerk/nextjs/server'

export default clerkMiddleware(async (auth, request) => {
  if (request.nextUrl.pathname.startsWith('/protected')) await auth.protect()
})
