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

/** It forgets when it ends. */
export const WITHOUT_DISK = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'] as const

/** A Redis of one's own, from the installed binary. */
export class RedisServer {
  readonly url: string
  readonly port: number
  readonly #arguments: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, args: readonly string[]) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    this.#arguments = [...args, '--port', String(port), '--bind', '127.0.0.1']
  }

  /** Null without an installed `redis-server`. */
  static async start(args: readonly string[] = WITHOUT_DISK): Promise<RedisServer | null> {
    const server = new RedisServer(await freePort(), args)
    return (await server.start()) ? server : null
  }

  async start(): Promise<boolean> {
    this.#process = spawn('redis-server', this.#arguments, { stdio: 'ignore' })
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
    const running = this.#process
    this.#process = undefined
    if (!running) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
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
