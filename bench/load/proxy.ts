/** A network between an app and its database: a TCP proxy that delivers everything late. `node proxy.ts <host> <port>` */

import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { answer } from '../processes.ts'

/** A timer may be a millisecond late: too much for short delays, which spin instead. Long ones would take a core. */
const SPIN_BELOW_MS = 2

interface Late {
  readonly dueAt: number
  readonly chunk: Buffer
}

const [host = '127.0.0.1', port = '5432'] = process.argv.slice(2)
let delayMs = 0

function listen(): Promise<number> {
  const server = createServer({ noDelay: true }, (app) => {
    const database = createConnection({ host, port: Number(port), noDelay: true })
    forward(app, database)
    forward(database, app)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** Sets how many milliseconds everything takes each way from now on. */
function setDelay(milliseconds: number): void {
  delayMs = milliseconds
}

function forward(from: Socket, to: Socket): void {
  const late: Late[] = []
  from.on('error', () => undefined)
  from.on('close', () => setTimeout(() => to.destroy(), delayMs))
  from.on('data', (chunk: Buffer) => {
    late.push({ dueAt: performance.now() + delayMs, chunk })
    if (late.length === 1) deliver(late, to)
  })
}

function deliver(late: Late[], to: Socket): void {
  const now = performance.now()
  while (late[0] && late[0].dueAt <= now) to.write((late.shift() as Late).chunk)
  const [next] = late
  if (!next) return
  if (delayMs < SPIN_BELOW_MS) setImmediate(deliver, late, to)
  else setTimeout(deliver, next.dueAt - now, late, to)
}

const answers = { listen, setDelay }
export type Network = typeof answers
answer(answers)
