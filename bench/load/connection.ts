/**
 * A keep-alive connection that sends prepared bytes and waits for the answer. A full HTTP client would cost as much as
 * the server that is measured, on a machine that both share.
 */

import { createConnection, type Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '\r\n0\r\n\r\n'

export class Connection {
  readonly #socket: Socket
  #received = ''
  #waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed a connection')))
  }

  static async open(port: number, host = '127.0.0.1'): Promise<Connection> {
    const socket = createConnection(port, host)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Connection(socket)
  }

  /** Sends a request and resolves with the status of its answer. */
  send(bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(bytes)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#received += text
    if (!isComplete(this.#received)) return
    const status = Number(this.#received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    this.#received = ''
    this.#waiting?.resolve(status)
    this.#waiting = undefined
  }
}

function isComplete(response: string): boolean {
  const headEnd = response.indexOf(HEAD_END)
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(response)?.[1]
  if (length === undefined) return response.endsWith(LAST_CHUNK)
  return response.length >= headEnd + HEAD_END.length + Number(length)
}
