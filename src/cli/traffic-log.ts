/** Tells of the requests that a simulated Svix or `dev --forward-to` makes, one line each. */

import { layOut, roomOf } from './layout.ts'
import type { Output } from './output.ts'
import { type Posted, send } from './send.ts'
import { formatTime } from './times.ts'

export class TrafficLog {
  readonly #output: Output
  readonly #url: URL
  /** The codes that were explained: once is enough. */
  readonly #explained = new Set<string>()

  constructor(output: Output, url: URL) {
    this.#output = output
    this.#url = url
  }

  /** Posts a delivery, tells of it and resolves to the status. */
  readonly deliver = async (delivery: Posted): Promise<number> => {
    const { status, ms, failure } = await send(this.#url, delivery)
    const type = typeOf(delivery)
    if (this.#output.json) {
      const error = failure && { error: failure }
      this.#output.stdout.record({
        type: 'delivery',
        id: delivery.svixId,
        event_type: type,
        status,
        ms,
        ...error,
      })
    } else this.#tell(delivery.svixId, type, status, ms)
    if (failure && !this.#explained.has(failure.code)) this.#explain(failure)
    if (status === null) throw new Error('no answer')
    return status
  }

  #tell(id: string, type: string, status: number | null, ms: number): void {
    const { stdout } = this.#output
    const { dim, green, red } = stdout.colors
    const isTaken = status !== null && status < 300
    const cells = [
      { text: formatTime(new Date()), style: dim },
      { text: status === null ? 'no answer' : String(status), style: isTaken ? green : red },
      { text: type },
      { text: `${ms}ms`.padStart(6), style: dim },
      { text: id, style: dim },
    ]
    const shown = roomOf(stdout.width) === 'narrow' ? cells.slice(0, 3) : cells
    stdout.line(layOut([shown], stdout.width, [8, 3, 31, 6])[0])
  }

  #explain({ code, message, remedy }: { code: string; message: string; remedy: string }): void {
    this.#explained.add(code)
    this.#output.note(`          ${message} ${remedy}`)
  }
}

function typeOf({ body }: Posted): string {
  return JSON.parse(Buffer.from(body).toString()).type
}
