/** Redis, for tests: one of a test's own that it may flush, stop and start again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

export async function redisAnswers(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return (await redis.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}

/** A Redis of one's own, from the installed binary. */
export class RedisServer {
  readonly url: string
  readonly #port: number
  #process: ChildProcess | undefined

  private constructor(port: number) {
    this.#port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  /** Null without an installed `redis-server`. */
  static async start(): Promise<RedisServer | null> {
    const server = new RedisServer(await freePort())
    return (await server.start()) ? server : null
  }

  async start(): Promise<boolean> {
    const options = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    this.#process = spawn('redis-server', [...options, '--maxmemory-policy', 'noeviction'], {
      stdio: 'ignore',
    })
    const failed = once(this.#process, 'error').then(
      () => true,
      () => true,
    )
    for (let tries = 0; tries < 100; tries++) {
      if (await redisAnswers(this.url)) return true
      if (await Promise.race([failed, sleep(50, false)])) return false
    }
    return false
  }

  async stop(): Promise<void> {
    if (!this.#process) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** When this process ends: nobody could stop it any more. */
  killSync(): void {
    this.#process?.kill('SIGKILL')
  }

  /** Lets it hang, and go on: connections stay open meanwhile. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal)
  }

  /** Forgets everything. */
  async flush(): Promise<void> {
    const redis = new Redis(this.url)
    await redis.flushall()
    redis.disconnect()
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
