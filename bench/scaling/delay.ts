/**
 * The way to Postgres and Redis: a TCP proxy that delivers everything late. `node delay.ts <port> <address to listen on>`
 *
 * Linux's netem would delay packets, but not every kernel has it.
 */

import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { answer } from '../processes.ts'

interface Late {
  readonly dueAt: number
  readonly chunk: Buffer
  readonly to: Socket
}

/** Timers of Node are a millisecond late, and spinning would take a core from what is measured. */
const NAP_MS = 0.15

const [port = '', address = ''] = process.argv.slice(2)
const clock = new Int32Array(new SharedArrayBuffer(4))
/** Everything takes as long, so that what came first is due first. */
const late: Late[] = []
let delayMs = 0

function listen(): Promise<number> {
  const server = createServer({ noDelay: true }, (app) => {
    const target = createConnection({ host: '127.0.0.1', port: Number(port), noDelay: true })
    forward(app, target)
    forward(target, app)
  })
  return new Promise((resolve) => {
    server.listen(0, address, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Sets how many milliseconds everything takes each way from now on. */
function setDelay(milliseconds: number): void {
  delayMs = milliseconds
}

function forward(from: Socket, to: Socket): void {
  from.on('error', () => undefined)
  from.on('close', () => setTimeout(() => to.destroy(), delayMs))
  from.on('data', (chunk: Buffer) => {
    late.push({ dueAt: performance.now() + delayMs, chunk, to })
    if (late.length === 1) setImmediate(deliver)
  })
}

function deliver(): void {
  const now = performance.now()
  const due = late.findIndex(({ dueAt }) => dueAt > now)
  for (const { chunk, to } of late.splice(0, due === -1 ? late.length : due)) to.write(chunk)
  if (late.length === 0) return
  Atomics.wait(clock, 0, 0, NAP_MS)
  setImmediate(deliver)
}

const answers = { listen, setDelay }
export type Delay = typeof answers
answer(answers)
