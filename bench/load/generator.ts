/** The load generator's process: prepares signed requests, then sends them as fast as the server answers. */

import { setTimeout as sleep } from 'node:timers/promises'
import { answer } from '../processes.ts'
import { quantile } from '../report.ts'
import { Connection } from './connection.ts'
import { hotUsers, mixture, newUsers, type Workload } from './events.ts'
import { type SignedRequest, stripeRequest, svixRequest } from './requests.ts'
import { newCustomers } from './stripe-events.ts'

export type WorkloadName = 'created' | 'mixed' | 'hot' | 'stripe'

export interface LoadResult {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly refused: number
  readonly acknowledged: Acknowledged
  /** How much of a core the generator itself used. */
  readonly cpu: number
}

/** The requests that were answered with success, in the order of sending. */
export interface Acknowledged {
  readonly ids: readonly string[]
  readonly subjects: readonly string[]
}

/** What came of requests that were sent at a fixed rate. */
export interface PacedResult {
  readonly sent: number
  /** How many answers had each status; 0 stands for a connection that broke. */
  readonly statuses: Readonly<Record<number, number>>
  /** Of the requests that were answered with success; NaN without any. */
  readonly p50: number
  readonly p99: number
}

let workload: Workload = newUsers()
let sign = svixRequest
let requests: SignedRequest[] = []

const WORKLOADS: Readonly<Record<WorkloadName, (users: readonly string[]) => Workload>> = {
  created: newUsers,
  mixed: mixture,
  hot: hotUsers,
  stripe: newCustomers,
}

/** @param users who exists already, for the mixed workload and the one of hot users */
function open({ name, users = [] }: { name: WorkloadName; users?: readonly string[] }): void {
  workload = WORKLOADS[name](users)
  sign = name === 'stripe' ? stripeRequest : svixRequest
}

function prepare({ count }: { count: number }): void {
  requests = Array.from({ length: count }, () => sign(workload.next().value))
}

interface Target {
  readonly port: number
  /** The servers, which get the same number of connections; by default the one on this machine. */
  readonly hosts?: readonly string[]
  readonly connections: number
  readonly seconds?: number
}

/** Sends what is prepared until the time is over; with no time, all of it. */
async function send(target: Target): Promise<LoadResult> {
  const { hosts = ['127.0.0.1'] } = target
  const connections = await Promise.all(
    Array.from({ length: target.connections }, (_, at) =>
      Connection.open(target.port, hosts[at % hosts.length]),
    ),
  )
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const until = startedAt + (target.seconds ?? Number.POSITIVE_INFINITY) * 1000
  const statuses = new Uint16Array(requests.length)
  const times = new Float64Array(requests.length)
  let sent = 0

  await Promise.all(
    connections.map(async (connection) => {
      while (sent < requests.length) {
        const at = sent++
        const sentAt = performance.now()
        statuses[at] = await connection.send((requests[at] as SignedRequest).bytes)
        const answeredAt = performance.now()
        times[at] = answeredAt - sentAt
        if (answeredAt >= until) break
      }
    }),
  )
  const elapsed = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpuBefore)
  for (const connection of connections) connection.close()

  const answered = requests.slice(0, sent).filter((_, at) => isSuccess(statuses[at]))
  const sortedTimes = times.subarray(0, sent).sort()
  return {
    perSecond: (answered.length / elapsed) * 1000,
    p50: quantile(sortedTimes, 0.5),
    p99: quantile(sortedTimes, 0.99),
    refused: sent - answered.length,
    acknowledged: { ids: answered.map(({ id }) => id), subjects: answered.map(({ subject }) => subject) },
    cpu: (user + system) / 1000 / elapsed,
  }
}

/** Sends what is prepared at a fixed rate, however long answers take, and waits for all of them. */
async function sendAtRate({ port, rate }: { port: number; rate: number }): Promise<PacedResult> {
  const idle: Connection[] = []
  const startedAt = performance.now()
  const answers = requests.map(async ({ bytes }, at) => {
    await sleep(Math.max(0, startedAt + (at * 1000) / rate - performance.now()))
    const sentAt = performance.now()
    const status = await sendOnce(idle, port, bytes)
    return { status, time: performance.now() - sentAt }
  })
  const results = await Promise.all(answers)
  for (const connection of idle) connection.close()
  const statuses: Record<number, number> = {}
  for (const { status } of results) statuses[status] = (statuses[status] ?? 0) + 1
  const times = results.filter(({ status }) => isSuccess(status)).map(({ time }) => time)
  const sortedTimes = Float64Array.from(times).sort()
  return {
    sent: results.length,
    statuses,
    p50: quantile(sortedTimes, 0.5),
    p99: quantile(sortedTimes, 0.99),
  }
}

/** Over a connection that is idle, or else a new one, as Svix does. */
async function sendOnce(idle: Connection[], port: number, bytes: Buffer): Promise<number> {
  try {
    const connection = idle.pop() ?? (await Connection.open(port))
    const status = await connection.send(bytes)
    idle.push(connection)
    return status
  } catch {
    return 0
  }
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

const answers = { open, prepare, send, sendAtRate }
export type Generator = typeof answers
answer(answers)
