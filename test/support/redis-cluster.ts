/** A Redis Cluster and a Redis Sentinel of a test's own, from the installed binaries. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Cluster, Redis } from 'ioredis'
import { freePort, RedisServer, WITHOUT_DISK } from './redis-server.ts'

const run = promisify(execFile)

/** A node that does not answer for so long has failed. */
const NODE_TIMEOUT_MS = '1000'

/** Three masters with a replica each. */
export class RedisCluster {
  readonly nodes: readonly RedisServer[]
  readonly #folder: string

  private constructor(nodes: readonly RedisServer[], folder: string) {
    this.nodes = nodes
    this.#folder = folder
  }

  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-redis-'))
    const started = await Promise.all(Array.from({ length: 6 }, (_, nr) => startNode(folder, nr)))
    const cluster = new RedisCluster(
      started.map(({ node }) => node),
      folder,
    )
    const addresses = started.map(({ node, bus }) => `127.0.0.1:${node.port}@${bus}`)
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'])
    await cluster.#untilReplicated()
    return cluster
  }

  /** Connects when it is used. */
  client(): Cluster {
    return new Cluster([{ host: '127.0.0.1', port: this.nodes[0]?.port }], { lazyConnect: true })
  }

  /** The master that has a key. */
  async masterOf(key: string): Promise<RedisServer> {
    const client = this.client()
    await client.connect()
    const slot = Number(await client.cluster('KEYSLOT', key))
    const slots = await client.cluster('SLOTS')
    client.disconnect()
    const range = slots.find(([from, to]) => Number(from) <= slot && slot <= Number(to))
    const [, port] = range?.[2] ?? []
    const master = this.nodes.find((node) => node.port === Number(port))
    if (!master) throw new Error(`no master has the slot of ${key}`)
    return master
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #untilReplicated(): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const roles = await Promise.all(this.nodes.map(({ url }) => replicationOf(url)))
      if (roles.filter((role) => /role:slave/.test(role) && /link_status:up/.test(role)).length === 3) return
      await sleep(50)
    }
    throw new Error('the replicas do not follow their masters')
  }
}

/** The bus has a port of its own: by default it is the node's plus 10000, which may be none. */
async function startNode(folder: string, nr: number): Promise<{ node: RedisServer; bus: number }> {
  const bus = await freePort()
  const node = await RedisServer.start([
    ...WITHOUT_DISK,
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(bus),
    '--cluster-config-file',
    join(folder, `nodes-${nr}.conf`),
    '--cluster-node-timeout',
    NODE_TIMEOUT_MS,
    '--dir',
    folder,
  ])
  if (!node) throw new Error('a cluster needs an installed redis-server')
  return { node, bus }
}

async function replicationOf(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    return await redis.info('replication')
  } finally {
    redis.disconnect()
  }
}

/** A master, a replica and one sentinel, which is a majority of itself. */
export class RedisSentinel {
  readonly master: RedisServer
  readonly #sentinel: RedisServer
  readonly #replica: RedisServer
  readonly #folder: string

  private constructor(parts: {
    master: RedisServer
    replica: RedisServer
    sentinel: RedisServer
    folder: string
  }) {
    this.master = parts.master
    this.#sentinel = parts.sentinel
    this.#replica = parts.replica
    this.#folder = parts.folder
  }

  static async start(): Promise<RedisSentinel> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-sentinel-'))
    const master = await started([...WITHOUT_DISK, '--dir', folder])
    const replica = await started([
      ...WITHOUT_DISK,
      '--dir',
      folder,
      '--replicaof',
      '127.0.0.1',
      String(master.port),
    ])
    const configuration = join(folder, 'sentinel.conf')
    await writeFile(
      configuration,
      [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds main 1000',
        'sentinel failover-timeout main 3000',
      ].join('\n'),
    )
    const sentinel = await started([configuration, '--sentinel'])
    const found = new RedisSentinel({ master, replica, sentinel, folder })
    await found.#untilReplicaIsKnown()
    return found
  }

  /** Of ioredis. */
  get options() {
    return { sentinels: [{ host: '127.0.0.1', port: this.#sentinel.port }], name: 'main' }
  }

  async stop(): Promise<void> {
    await Promise.all([this.master, this.#replica, this.#sentinel].map((server) => server.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #untilReplicaIsKnown(): Promise<void> {
    const redis = new Redis(this.#sentinel.url)
    for (let tries = 0; tries < 400; tries++) {
      const replicas = (await redis.call('SENTINEL', 'replicas', 'main')) as unknown[]
      if (replicas.length > 0) return redis.disconnect()
      await sleep(50)
    }
    redis.disconnect()
    throw new Error('the sentinel does not find the replica')
  }
}

async function started(args: readonly string[]): Promise<RedisServer> {
  const server = await RedisServer.start(args)
  if (!server) throw new Error('Sentinel needs an installed redis-server')
  return server
}
