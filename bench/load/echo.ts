/** A server that answers every request at once: what it does not reach, the load generator cannot reach. */

import { type AddressInfo, createServer } from 'node:net'
import { answer } from '../processes.ts'

const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

function listen(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let missing = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      missing = (missing === 0 ? requestLength(chunk) : missing) - chunk.length
      if (missing === 0) socket.write(RESPONSE)
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** The head always comes in the first chunk: it is sent in one write with its body. */
function requestLength(chunk: Buffer): number {
  const head = chunk.toString('latin1', 0, chunk.indexOf('\r\n\r\n') + 4)
  return head.length + Number(/content-length: (\d+)/.exec(head)?.[1])
}

const answers = { listen }
export type Echo = typeof answers
answer(answers)
