/** An HTTP request as raw bytes, for headers that no HTTP client would send. */

import { connect } from 'node:net'

export interface RawReply {
  readonly status: number
  readonly body: string
}

/** Sends a POST and resolves with the answer, even if the server answers before it has read everything. */
export async function postRaw(
  port: number,
  headers: readonly (readonly [string, string])[],
  body: Uint8Array,
  path = '/webhook',
): Promise<RawReply> {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: test',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.byteLength}`,
    'connection: close',
    '\r\n',
  ]
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      // Some servers wait for seconds before they close.
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) socket.destroy()
    })
    // Writing on after the server has answered and closed fails; the answer counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(parseReply(Buffer.concat(chunks).toString())))
    socket.write(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]))
  })
}

/** Whether the answer is as long as its head says. */
function isWhole(reply: string): boolean {
  const end = reply.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /^content-length: *(\d+)/im.exec(reply.slice(0, end))?.[1]
  return length === undefined ? reply.endsWith('\r\n0\r\n\r\n') : reply.length >= end + 4 + Number(length)
}

function parseReply(reply: string): RawReply {
  return { status: Number(reply.split(' ')[1]), body: /\{.*\}/.exec(reply)?.[0] ?? '' }
}
