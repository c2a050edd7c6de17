import { sharedClerkSync } from 'clerk-sync'

export const prerender = false
export const POST = async ({ request }) => {
  await request.text()
  return sharedClerkSync().fetch(request)
}
