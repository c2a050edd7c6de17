import { sharedClerkSync } from 'clerk-sync'

export const action = async ({ request }) => {
  await request.text()
  return sharedClerkSync().fetch(request)
}
