/** What all measurements share: the database, the load generator, the servers, and that nothing of it is left behind. */

import type pg from 'pg'
import { analyze, checkpoint, createDatabase, emptyTables, type OwnDatabase, readValue } from './database.ts'
import type { Acknowledged, Generator, LoadResult, WorkloadName } from './load/generator.ts'
import type { Network } from './load/proxy.ts'
import { describeMachine, type Machine } from './machine.ts'
import { Child } from './processes.ts'
import { progress } from './report.ts'
import type { VariantServer } from './server.ts'
import { openServerCpu, type ServerCpu } from './server-cpu.ts'
import { type VariantName, variantOf } from './variants/variants.ts'

/** A variant's server with tables of its own. */
export interface Served {
  readonly name: VariantName
  readonly title: string
  readonly schema: string
  readonly port: number
  readonly process: Child<VariantServer>
}

/** A network between the apps and the database. */
export interface Proxied {
  readonly port: number
  /** The session's database, as it is found through the proxy. */
  readonly url: string
  readonly process: Child<Network>
}

const EXISTING_USERS = 1_000
const NOBODY: Acknowledged = { ids: [], subjects: [] }

/** What one measurement found; the costs are per delivery. */
export interface Run extends LoadResult {
  /** Microseconds of the cores that the app's process used. */
  readonly nodeCpu: number
  /** Microseconds of the cores that all processes of the Postgres server used; undefined where that cannot be read. */
  readonly postgresCpu: number | undefined
  readonly walBytes: number
  /** Deliveries in a transaction; undefined where each has its own. */
  readonly perCommit: number | undefined
}

/** Where the counters of a run stand. */
interface Counters {
  readonly nodeCpu: number
  readonly postgresCpu: number | undefined
  readonly walBytes: number
  readonly commits: number
}

export interface ServeOptions {
  /** The folder of another checkout that is built, for the baseline. */
  readonly baseline?: string | undefined
  /** Where the app finds the database, if not where it is: a proxy. */
  readonly databasePort?: number
  readonly execArgv?: readonly string[]
}

export interface LoadOptions {
  readonly connections: number
  /** Absent: until all requests are answered. */
  readonly seconds?: number
  /** How many requests are prepared: with a time, more than the server can answer. */
  readonly requests: number
}

export interface RunOptions extends LoadOptions {
  readonly workload: WorkloadName
}

export class Session {
  readonly machine: Machine
  readonly generator = new Child<Generator>('./load/generator.ts')
  readonly #database: OwnDatabase
  readonly #postgresCpu: ServerCpu | undefined
  readonly #served: Served[] = []
  readonly #proxies: Child<Network>[] = []

  private constructor(database: OwnDatabase, postgresCpu: ServerCpu | undefined) {
    this.#database = database
    this.#postgresCpu = postgresCpu
    this.machine = describeMachine(database.facts)
  }

  /** Opens a session, works in it and cleans up, also when it is interrupted. */
  static async run<Result>(work: (session: Session) => Promise<Result>, kept?: string): Promise<Result> {
    await using database = await createDatabase(kept)
    const session = new Session(database, await openServerCpu(database.client))
    const interrupted = new Promise<never>((_, reject) => {
      process.once('SIGINT', () => reject(new Error('interrupted')))
    })
    try {
      return await Promise.race([work(session), interrupted])
    } finally {
      await session.#close()
    }
  }

  get client(): pg.Client {
    return this.#database.client
  }

  /** Starts a variant's server in a process of its own. */
  async serve(name: VariantName, options: ServeOptions = {}): Promise<Served> {
    const { title, schema = `variant_${this.#served.length}` } = variantOf(name)
    const argv = [name, this.#urlThrough(options.databasePort), schema]
    if (options.baseline !== undefined) argv.push(options.baseline)
    const child = new Child<VariantServer>('./server.ts', argv, options.execArgv)
    const served = { name, schema, title, process: child, port: 0 }
    this.#served.push(served)
    return Object.assign(served, { port: await child.ask('listen', undefined) })
  }

  /** Starts a proxy in front of the database; it delays nothing until it is told to. */
  async openProxy(): Promise<Proxied> {
    const { hostname, port } = new URL(this.#database.url)
    const process = new Child<Network>('./load/proxy.ts', [hostname, port || '5432'])
    this.#proxies.push(process)
    const ownPort = await process.ask('listen', undefined)
    return { port: ownPort, url: this.#urlThrough(ownPort), process }
  }

  #urlThrough(port: number | undefined): string {
    if (port === undefined) return this.#database.url
    return Object.assign(new URL(this.#database.url), { hostname: '127.0.0.1', port: String(port) }).href
  }

  /** Measures a server on empty tables and checks what it has done. */
  async measure(served: Served, options: RunOptions): Promise<Run> {
    await emptyTables(this.client, served.schema)
    const users = options.workload === 'mixed' ? await this.createUsers(served, options.connections) : NOBODY
    // A database that is older than a minute has statistics of its tables; these are younger.
    await analyze(this.client, served.schema)
    await this.generator.ask('open', { name: options.workload, users: users.subjects })
    const run = await this.load(served, options)
    await this.#check(served, {
      ids: [...users.ids, ...run.acknowledged.ids],
      subjects: [...users.subjects, ...run.acknowledged.subjects],
    })
    return run
  }

  /** Measures a server on the workload that is open. */
  async load(served: Served, { connections, seconds, requests }: LoadOptions): Promise<Run> {
    await this.generator.ask('prepare', { count: requests })
    await checkpoint(this.client)
    const before = await this.#counters(served)
    const result = await this.generator.ask('send', {
      port: served.port,
      connections,
      ...(seconds && { seconds }),
    })
    const after = await this.#counters(served)
    this.#judgeRefusals(served, result.refused)
    return { ...result, ...costs(before, after, result.acknowledged.ids.length) }
  }

  /** The first core refuses some of the mixed workload at 256 connections: that is its fault, and no reason not to compare. */
  #judgeRefusals({ name, title }: Served, refused: number): void {
    if (refused === 0) return
    const line = `${title} refused ${refused} deliveries`
    if (name !== 'baseline') throw new Error(line)
    progress(line)
  }

  async #counters({ process }: Served): Promise<Counters> {
    return {
      nodeCpu: await process.ask('cpuTime', undefined),
      postgresCpu: await this.#postgresCpu?.(),
      walBytes: await readValue<number>(this.client, WAL_BYTES),
      commits: await process.ask('commits', undefined),
    }
  }

  /** Creates users to update and delete; sending them also warms the server up. */
  async createUsers(served: Served, connections: number): Promise<Acknowledged> {
    await this.generator.ask('open', { name: 'created' })
    await this.generator.ask('prepare', { count: EXISTING_USERS })
    return (await this.generator.ask('send', { port: served.port, connections })).acknowledged
  }

  async #check({ name, title, schema }: Served, acknowledged: Acknowledged): Promise<void> {
    const findings = await variantOf(name).check(this.client, schema, acknowledged)
    if (findings.length > 0) throw new Error(`${title} did not do its work: ${findings.join('; ')}`)
  }

  async #close(): Promise<void> {
    const children = [this.generator, ...this.#served.map((served) => served.process), ...this.#proxies]
    await Promise.all(children.map((child) => child.stop()))
  }
}

const WAL_BYTES = `select (pg_current_wal_insert_lsn() - '0/0')::float8`

function costs(before: Counters, after: Counters, deliveries: number) {
  const per = (from: number, to: number) => (to - from) / deliveries
  const isCounted = before.postgresCpu !== undefined && after.postgresCpu !== undefined
  return {
    nodeCpu: per(before.nodeCpu, after.nodeCpu),
    postgresCpu: isCounted ? per(before.postgresCpu, after.postgresCpu) : undefined,
    walBytes: per(before.walBytes, after.walBytes),
    perCommit: after.commits > 0 ? deliveries / (after.commits - before.commits) : undefined,
  }
}
