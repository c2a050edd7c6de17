import { sharedClerkSync } from 'clerk-sync'
import { defineEventHandler, readBody, toWebRequest } from 'h3'

export default defineEventHandler(async (event) => {
  await readBody(event)
  return sharedClerkSync().fetch(toWebRequest(event))
})
