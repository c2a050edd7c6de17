/** The metrics read from the database: the same from every process, so aggregate with the maximum, not the sum. */

import type { Gauge, Registry } from '@prometheus-io/client'
import { ERRORS } from '../errors.ts'
import type { Vitals } from '../index.ts'
import type { PrometheusClient } from './client.ts'
import type { VitalsCache } from './vitals-cache.ts'

/** A value without labels, or one for each value of a label. Null is no value. */
type Value = number | null | readonly (readonly [label: string, value: number])[]

interface Definition {
  readonly help: string
  readonly label?: string
  readonly read: (vitals: Vitals) => Value
}

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  last_event_age_seconds: {
    help: 'Seconds since the last event was recorded.',
    read: ({ lastEventAge }) => lastEventAge,
  },
  usual_event_gap_seconds: {
    help: 'The pause between events that is usual, from the last day. Absent with too few events to tell.',
    read: ({ usualGap }) => usualGap,
  },
  lag_p50_seconds: {
    help: 'Median of the seconds from the time in Clerk to the commit, over the last ten minutes.',
    read: ({ lag }) => lag.p50,
  },
  lag_p95_seconds: {
    help: '95th percentile of the seconds from the time in Clerk to the commit, over the last ten minutes.',
    read: ({ lag }) => lag.p95,
  },
  due_runs: { help: 'Handler runs that are due, at most 10000.', read: ({ dueRuns }) => dueRuns },
  oldest_due_run_age_seconds: {
    help: 'For how long the oldest due handler run has been due; 0 without any.',
    read: ({ oldestDueAge }) => oldestDueAge ?? 0,
  },
  due_runs_without_worker: {
    help: 'Due handler runs while no worker is alive; 0 if one is.',
    read: ({ dueRunsWithoutWorker }) => dueRunsWithoutWorker,
  },
  workers: { help: 'Workers that are alive.', read: ({ workers }) => workers },
  dead_runs: {
    help: 'Handler runs that have exhausted their retries, at most 10000.',
    label: 'handler',
    read: ({ deadRuns }) => bounded([...deadRuns]),
  },
  failed_events: {
    help: 'Events that the database refused and nobody has replayed, at most 10000.',
    read: ({ failedEvents }) => failedEvents,
  },
  parked_events: {
    help: 'Events that could not be used as they are, at most 10000.',
    read: ({ parkedEvents }) => parkedEvents,
  },
  recent_refusals: {
    help: 'Requests refused by any process in the last ten minutes, by the error code.',
    label: 'code',
    read: ({ refusals }) => [...refusals].filter(([code]) => Object.hasOwn(ERRORS, code)),
  },
  reconcile_age_seconds: {
    help: 'Seconds since the last reconcile ended. Absent before the first.',
    read: ({ reconcile }) => reconcile?.age ?? null,
  },
  reconcile_drift_rows: {
    help: 'Rows that differed from Clerk in the last reconcile.',
    read: ({ reconcile }) => reconcile?.drift ?? null,
  },
  job_progress_ratio: {
    help: 'How far each running job is, from 0 to 1. A job that cannot tell shows 0.',
    label: 'kind',
    read: ({ jobs }) => bounded(jobs.map(({ kind, progress }) => [kind, progress ?? 0])),
  },
  event_part_bytes: {
    help: 'Disk space of what retention forgets of events, bodies and changes, with indexes.',
    label: 'part',
    read: ({ retention }) => [...retention.parts].map(([part, { bytes }]) => [part, bytes]),
  },
  event_part_partitions: {
    help: 'Partitions of bodies and changes that take space.',
    label: 'part',
    read: ({ retention }) => [...retention.parts].map(([part, { partitions }]) => [part, partitions]),
  },
  oldest_body_age_seconds: {
    help: 'For how long the oldest body of an event has been kept, those aside that a run still needs. Absent without any.',
    read: ({ retention }) => retention.oldestBodyAge,
  },
  maintenance_age_seconds: {
    help: 'Seconds since maintenance last finished, which applies retention; before the first time, since the first event.',
    read: ({ retention }) => retention.maintenanceAge,
  },
}

export class DatabaseMetrics {
  /** @param vitals is asked once for all of them */
  constructor(client: PrometheusClient, registry: Registry, vitals: VitalsCache) {
    const registers = [registry]
    new client.Gauge({
      name: 'clerk_sync_database_up',
      help: 'Whether the database answered this scrape in time. Without it, numbers from it are up to a minute old, then absent.',
      registers,
      async collect() {
        this.set((await vitals.get()).isUp ? 1 : 0)
      },
    })
    new client.Gauge({
      name: 'clerk_sync_database_read_seconds',
      help: 'How long the database took for this scrape.',
      registers,
      async collect() {
        this.set((await vitals.get()).seconds)
      },
    })
    for (const [name, definition] of Object.entries(DEFINITIONS)) {
      const { help, label } = definition
      new client.Gauge({
        name: `clerk_sync_${name}`,
        help,
        labelNames: label ? [label] : [],
        registers,
        async collect() {
          show(this, definition, (await vitals.get()).vitals)
        },
      })
    }
  }
}

/** A gauge that has no value is not shown: 0 would be one. */
function show(gauge: Gauge<string>, { label, read }: Definition, vitals: Vitals | undefined): void {
  gauge.reset()
  const value = vitals ? read(vitals) : null
  if (label === undefined) {
    // Reset, a gauge without labels is 0.
    if (typeof value === 'number') gauge.set(value)
    else gauge.remove()
  } else if (typeof value === 'object') {
    for (const [name, number] of value ?? []) gauge.set({ [label]: name }, number)
  }
}

/** Names from the database: of handlers of other versions of the app, or jobs of other versions of clerk-sync. */
const MAX_LABELS = 100

function bounded(values: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  if (values.length <= MAX_LABELS) return values
  const rest = values.slice(MAX_LABELS).reduce((sum, [, value]) => sum + value, 0)
  return [...values.slice(0, MAX_LABELS), ['other', rest]]
}
