/** What a soak watches: of each process its memory and its descriptors, of Postgres its connections and its bloat. */

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Site } from './site.ts'
import type { Tolerance } from './trend.ts'

export interface Gauge {
  readonly name: string
  readonly tolerance: Tolerance
  read(site: Site): Promise<number>
}

const MEMORY: Tolerance = { share: 0.1, amount: 15 }
const DESCRIPTORS: Tolerance = { share: 0, amount: 6 }
const CONNECTIONS: Tolerance = { share: 0, amount: 2 }
const COLLECTION_MS = 500
/** Autovacuum begins when a fifth of a table's rows is dead. */
const BLOAT_PERCENT: Tolerance = { share: 0, amount: 10 }
const BLOAT_KIBIBYTES: Tolerance = { share: 0.1, amount: 128 }

/** Of Linux: `/proc` has what a process uses. */
export function gaugesOf(site: Site): Gauge[] {
  const ofProcesses = site.processes.flatMap((process) => [
    {
      name: `${process.options.name}: resident memory, MiB`,
      tolerance: MEMORY,
      read: () => residentMebibytes(process.pid as number),
    },
    {
      name: `${process.options.name}: descriptors`,
      tolerance: DESCRIPTORS,
      read: async () => (await readdir(`/proc/${process.pid}/fd`)).length,
    },
  ])
  return [
    ...ofProcesses,
    { name: 'Postgres: connections', tolerance: CONNECTIONS, read: readNumber(CONNECTED) },
    ...['users', 'handler_runs'].map((table) => ({
      name: `Postgres: dead and free space in ${table}, %`,
      tolerance: BLOAT_PERCENT,
      read: readNumber(leftBehind(table)),
    })),
    { name: 'Postgres: tables of heartbeats, KiB', tolerance: BLOAT_KIBIBYTES, read: readNumber(HEARTBEATS) },
  ]
}

/** A process with time to spare lets its garbage lie: without collecting it, the resident memory says nothing about leaks. */
async function residentMebibytes(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR2')
  await sleep(COLLECTION_MS)
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}

function readNumber(text: string): Gauge['read'] {
  return async (site) => {
    const [row] = (await site.query(text)) ?? []
    return Number(row?.value)
  }
}

const CONNECTED = `select count(*) as value from pg_stat_activity where application_name like 'clerk-sync%'`

/** Rows that are updated all the time, and whose number stays. With their indexes. */
const HEARTBEATS = `select sum(pg_total_relation_size(oid))::float8 / 1024 as value from pg_class
  where relnamespace = 'clerk'::regnamespace and relname in ('handler_workers', 'handlers', 'maintenance')`

function leftBehind(table: string): string {
  return `select dead_tuple_percent + free_percent as value from pgstattuple('clerk.${table}')`
}
