/** A process that only runs handlers, for the time from a commit elsewhere to the start here. */

import { type ClerkSync, createClerkSync } from '../src/index.ts'
import { SECRET } from './load/requests.ts'
import { answer } from './processes.ts'

let sync: ClerkSync | undefined
let started = Promise.withResolvers<bigint>()

async function work({ database, schema, name }: { database: string; schema: string; name: string }) {
  sync = createClerkSync({ database, schema, signingSecret: SECRET })
  sync.on('user.created', () => started.resolve(process.hrtime.bigint()), { name })
  await sync.work()
}

/** When the next handler starts, by the clock that all processes of a machine share. */
function nextStart(): Promise<bigint> {
  started = Promise.withResolvers()
  return started.promise
}

const answers = { work, nextStart }
export type HandlersWorker = typeof answers
answer(answers, async () => sync?.close())
