/** The process of one variant's server. `node server.ts <variant> <database> <schema> [baseline]` */

import type { AddressInfo } from 'node:net'
import { answer } from './processes.ts'
import { variantOf } from './variants/variants.ts'

const [name = '', database = '', schema = '', baseline] = process.argv.slice(2)

async function listen(): Promise<number> {
  const server = await variantOf(name).serve({ database, schema, baseline })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The time that this process has used of its cores, in microseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** After a collection, if there is one to call, so that garbage does not count as growth. */
function memory(): NodeJS.MemoryUsage {
  globalThis.gc?.()
  return process.memoryUsage()
}

function commits(): number {
  return variantOf(name).commits?.() ?? 0
}

const answers = { listen, cpuTime, memory, commits }
export type VariantServer = typeof answers
answer(answers)
