import { sharedClerkSync } from 'clerk-sync'

export default async ({ req }) => {
  await req.text()
  return sharedClerkSync().fetch(req)
}
