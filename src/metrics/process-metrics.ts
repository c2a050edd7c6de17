/** The metrics that a process counts: add them up over processes. Every label has a known set of values. */

import type { Registry } from '@prometheus-io/client'
import { ERRORS, type ErrorCode } from '../errors.ts'
import {
  type ClerkSync,
  type CommitFact,
  type ConnectionState,
  type DeliveryFact,
  EVENT_TYPES,
  type Fact,
  type RunFact,
} from '../index.ts'
import { readVersion } from '../version.ts'
import type { PrometheusClient } from './client.ts'

/** From a commit over a local socket to the limit of a delivery. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 13]
/** Handlers call services, and may take minutes. */
const HANDLER_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const BATCH_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500]

/** Of the answers of the webhook route; other errors are the dashboard's or the command line's. */
const ROUTE_STATUSES: ReadonlySet<number> = new Set([400, 405, 408, 413, 415, 503])

/** Types come from outside: each one would be a series for ever. */
const KNOWN_TYPES: ReadonlySet<string> = new Set(EVENT_TYPES)

/** What the webhook route answers. */
const REFUSAL_CODES: readonly ErrorCode[] = [
  ...(Object.keys(ERRORS) as ErrorCode[]).filter((code) => ROUTE_STATUSES.has(ERRORS[code].status)),
  'internal_error',
  'secret_missing',
]

/** @returns what ends it */
export function createProcessMetrics(
  client: PrometheusClient,
  registry: Registry,
  sync: ClerkSync,
): () => void {
  const counted = createCounted(client, registry)
  // A counter that appears with its first count has no increase that a rule could see.
  for (const code of REFUSAL_CODES) counted.refusals.inc({ code }, 0)
  createLoad(client, registry, sync)
  createBuildInfo(client, registry, sync)
  return sync.observe((fact) => count(counted, fact))
}

type Counted = ReturnType<typeof createCounted>

function count(metrics: Counted, fact: Fact): void {
  if (fact.kind === 'delivery') countDelivery(metrics, fact)
  else if (fact.kind === 'refusal') metrics.refusals.inc({ code: fact.code }, 1)
  else if (fact.kind === 'commit') countCommit(metrics, fact)
  else if (fact.kind === 'run') countRun(metrics, fact)
  else if (fact.kind === 'job') metrics.jobs.inc({ kind: fact.job, status: fact.status }, 1)
  else metrics.connectionWait.observe({ lane: fact.lane }, fact.ms / 1_000)
}

function countDelivery(metrics: Counted, { type, outcome, ms }: DeliveryFact): void {
  const event_type = type !== null && KNOWN_TYPES.has(type) ? type : 'other'
  metrics.deliveries.inc({ event_type, outcome }, 1)
  metrics.deliverySeconds.observe(ms / 1_000)
}

function countCommit(metrics: Counted, { events, ms, error }: CommitFact): void {
  metrics.commitSeconds.observe({ result: error ?? 'committed' }, ms / 1_000)
  metrics.commitEvents.observe(events)
}

function countRun(metrics: Counted, { handler, ending, ms }: RunFact): void {
  metrics.runs.inc({ handler, ending }, 1)
  metrics.runSeconds.observe({ handler }, ms / 1_000)
}

function createCounted(client: PrometheusClient, registry: Registry) {
  const registers = [registry]
  return {
    deliveries: new client.Counter({
      name: 'clerk_sync_deliveries_total',
      help: 'Accepted deliveries, by event type and outcome.',
      labelNames: ['event_type', 'outcome'],
      registers,
    }),
    deliverySeconds: new client.Histogram({
      name: 'clerk_sync_delivery_duration_seconds',
      help: 'How long deliveries took, from their first byte to the commit.',
      buckets: SECONDS,
      registers,
    }),
    refusals: new client.Counter({
      name: 'clerk_sync_refusals_total',
      help: 'Requests that were answered with an error, by its code.',
      labelNames: ['code'],
      registers,
    }),
    commitSeconds: new client.Histogram({
      name: 'clerk_sync_commit_duration_seconds',
      help: 'How long batches of deliveries took to be committed, or to fail with an error of this code.',
      labelNames: ['result'],
      buckets: SECONDS,
      registers,
    }),
    commitEvents: new client.Histogram({
      name: 'clerk_sync_commit_deliveries',
      help: 'How many deliveries a batch had.',
      buckets: BATCH_SIZES,
      registers,
    }),
    ...createWorkCounted(client, registers),
  }
}

function createWorkCounted(client: PrometheusClient, registers: Registry[]) {
  return {
    runs: new client.Counter({
      name: 'clerk_sync_handler_runs_total',
      help: 'Tries of handlers, by how they ended.',
      labelNames: ['handler', 'ending'],
      registers,
    }),
    runSeconds: new client.Histogram({
      name: 'clerk_sync_handler_duration_seconds',
      help: 'How long tries of handlers took.',
      labelNames: ['handler'],
      buckets: HANDLER_SECONDS,
      registers,
    }),
    jobs: new client.Counter({
      name: 'clerk_sync_jobs_total',
      help: 'Jobs that began (running) or ended in this process.',
      labelNames: ['kind', 'status'],
      registers,
    }),
    connectionWait: new client.Histogram({
      name: 'clerk_sync_connection_wait_seconds',
      help: 'How long connections to the database were waited for, by what for.',
      labelNames: ['lane'],
      buckets: SECONDS,
      registers,
    }),
  }
}

/** What the process holds at the moment of the scrape. */
function createLoad(client: PrometheusClient, registry: Registry, sync: ClerkSync): void {
  const registers = [registry]
  new client.Gauge({
    name: 'clerk_sync_waiting_deliveries',
    help: 'Deliveries that wait for a commit to begin.',
    registers,
    collect() {
      this.set(sync.load.waitingDeliveries)
    },
  })
  createConnections(client, registers, () => sync.load.connections)
}

function createConnections(
  client: PrometheusClient,
  registers: Registry[],
  read: () => ConnectionState,
): void {
  new client.Gauge({
    name: 'clerk_sync_connections',
    help: 'Open connections to the database.',
    registers,
    collect() {
      this.set(read().open)
    },
  })
  new client.Gauge({
    name: 'clerk_sync_max_connections',
    help: 'How many connections to the database may be open.',
    registers,
    collect() {
      this.set(read().max)
    },
  })
  const byLane = (name: string, help: string, value: (lane: ConnectionState['lanes'][number]) => number) =>
    new client.Gauge({
      name: `clerk_sync_connections_${name}`,
      help,
      labelNames: ['lane'],
      registers,
      collect() {
        for (const lane of read().lanes) this.set({ lane: lane.name }, value(lane))
      },
    })
  byLane('busy', 'Connections in use, by what for.', ({ busy }) => busy)
  byLane('waiting', 'Work that waits for a connection, by what for.', ({ waiting }) => waiting)
  byLane('limit', 'How many connections may be used at a time, by what for.', ({ max }) => max)
}

function createBuildInfo(client: PrometheusClient, registry: Registry, sync: ClerkSync): void {
  const labels = {
    version: readVersion(),
    node: process.versions.node,
    database: sync.location.kind,
    schema: sync.location.schema,
  }
  new client.Gauge({
    name: 'clerk_sync_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: Object.keys(labels),
    registers: [registry],
  }).set(labels, 1)
}

/** Named against the conventions of Prometheus, or covered by others. */
const UNWANTED = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
]

/** Of the process itself: memory, processor, the delay of the event loop, garbage collection. */
export function collectRuntime(client: PrometheusClient, registry: Registry): void {
  client.collectDefaultMetrics({ register: registry })
  for (const name of UNWANTED) registry.removeSingleMetric(name)
}
