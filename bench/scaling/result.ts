/** What was measured. */

import type { Machine } from '../machine.ts'
import type { EngineName } from './site.ts'

export const TITLES: Readonly<Record<EngineName, string>> = { postgres: 'Postgres', bullmq: 'BullMQ' }

export interface Result {
  readonly engine: EngineName
  /** So many receivers and so many workers. */
  readonly count: number
  /** How many users all events were about; absent: each event was about a new user. */
  readonly hotUsers?: number | undefined
  /** Per second. */
  readonly deliveries: number
  readonly p50: number
  readonly p99: number
  /** Per second. */
  readonly runs: number
  /** How much of the CPU that they may use the processes used. */
  readonly receiversOfCap: number
  readonly workersOfCap: number
  /** Microseconds, per delivery, as are the next three. */
  readonly postgresCpu: number
  readonly walBytes: number
  readonly lockWait: number
  readonly walWait: number
  /** The most that were open. */
  readonly connections: number
  /** How many executed a statement, on average. */
  readonly active: number
  /** How many cores of the machine were busy. */
  readonly cores: number
}

export interface Report {
  readonly machine: Machine
  readonly postgres: string
  /** Milliseconds that `select 1` takes. */
  readonly roundTrip: number
  /** The machine's load average when it began. */
  readonly load: number
  /** Of a core, for each process. */
  readonly share: number
  readonly seconds: number
  readonly results: readonly Result[]
}
