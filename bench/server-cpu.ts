/** The time that a Postgres server has used of the machine's cores, as Linux counts it. */

import { readdir, readFile } from 'node:fs/promises'
import type pg from 'pg'
import { readValue } from './database.ts'

/** Linux counts in hundredths of a second for every program, on every machine. */
const MICROSECONDS_PER_TICK = 10_000

interface ProcessTimes {
  readonly name: string
  readonly parent: number
  readonly ticks: number
  readonly ticksOfEndedChildren: number
}

/** Reads the time in microseconds that all processes of the server have used since it started. */
export type ServerCpu = () => Promise<number>

/** @returns undefined if the server runs on another machine, or this one is not Linux */
export async function openServerCpu(client: pg.Client): Promise<ServerCpu | undefined> {
  const backend = await readTimes(await readValue<number>(client, 'select pg_backend_pid()'))
  if (!backend?.name.startsWith('postgres')) return undefined
  return () => totalOf(backend.parent)
}

/** A server process that has ended counts in the main process from then on, so the total never goes down. */
async function totalOf(main: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const times = await Promise.all(pids.map(async (pid) => ({ pid, times: await readTimes(pid) })))
  const ticks = times.map(({ pid, times }) => {
    if (pid === main) return (times?.ticks ?? 0) + (times?.ticksOfEndedChildren ?? 0)
    return times?.parent === main ? times.ticks : 0
  })
  return ticks.reduce((sum, each) => sum + each, 0) * MICROSECONDS_PER_TICK
}

/** The time in microseconds that one process has used. */
export async function processCpu(pid: number): Promise<number> {
  return ((await readTimes(pid))?.ticks ?? 0) * MICROSECONDS_PER_TICK
}

async function readTimes(pid: number): Promise<ProcessTimes | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const nameEnd = text.lastIndexOf(')')
  const fields = text
    .slice(nameEnd + 2)
    .split(' ')
    .map(Number)
  // Fields 4 and 14 to 17 of proc(5); the list here starts with field 3.
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
  return {
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    parent: fields[1] ?? 0,
    ticks: user + system,
    ticksOfEndedChildren: endedUser + endedSystem,
  }
}
