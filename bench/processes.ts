/**
 * Child processes that answer questions. Servers and the load generator each get one, so that none of them runs on
 * another's event loop.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a child answers, by name. */
type Answers = { readonly [name: string]: (question: never) => unknown }

type Question<A extends Answers, Name extends keyof A> = Parameters<A[Name]>[0]
type Answer<A extends Answers, Name extends keyof A> = Awaited<ReturnType<A[Name]>>

interface Reply {
  readonly number: number
  readonly answer?: unknown
  readonly error?: string
}

/** A child process, seen from its parent. */
export class Child<A extends Answers> {
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  #asked = 0

  constructor(script: string, argv: readonly string[] = [], execArgv: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    this.#process = fork(path, argv, { serialization: 'advanced', execArgv: [...execArgv] })
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()))
  }

  ask<Name extends keyof A & string>(name: Name, question: Question<A, Name>): Promise<Answer<A, Name>> {
    const number = ++this.#asked
    return new Promise((resolve, reject) => {
      const onReply = (reply: Reply) => {
        if (reply.number !== number) return
        this.#process.off('message', onReply).off('exit', onExit)
        if (reply.error === undefined) resolve(reply.answer as Answer<A, Name>)
        else reject(new Error(reply.error))
      }
      const onExit = () => reject(new Error(`the process that was asked "${name}" ended`))
      this.#process.on('message', onReply).once('exit', onExit)
      this.#process.send({ number, name, question })
    })
  }

  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    await this.#ended
  }
}

/** Makes this process a child that answers. It ends when its parent lets go of it. */
export function answer(answers: Answers, close: () => Promise<void> = async () => undefined): void {
  // Ctrl-C reaches the whole group; the parent still needs its children to clean up.
  process.on('SIGINT', () => undefined)
  process.once('disconnect', () => void close().finally(() => process.exit()))
  process.on(
    'message',
    async ({ number, name, question }: { number: number; name: string; question: never }) => {
      const reply = await Promise.resolve(answers[name]?.(question)).then(
        (result) => ({ number, answer: result }),
        (error: Error) => ({ number, error: error.stack ?? String(error) }),
      )
      process.send?.(reply satisfies Reply)
    },
  )
}
