import { sharedClerkSync } from 'clerk-sync'
import { clerkSignIn, createDashboardHandler } from 'clerk-sync/dashboard'

// Whoever has { "clerkSync": "operator" } in the public metadata, and that in the session token.
const handler = createDashboardHandler(sharedClerkSync, { authorize: clerkSignIn() })
const answer = (request: Request) => handler(request)

export { answer as DELETE, answer as GET, answer as POST }
