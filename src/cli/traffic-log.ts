/** A line for each delivery that the command line posts to a webhook route. */

import { type Posted, send } from '../doctor/send.ts'
import { NARROW } from './entry.ts'
import type { Output } from './output.ts'
import { formatTime, layOut } from './text.ts'

export class TrafficLog {
  readonly #output: Output
  readonly #url: URL
  /** The codes that were explained: once is enough. */
  readonly #explained = new Set<string>()

  constructor(output: Output, url: URL) {
    this.#output = output
    this.#url = url
  }

  /** Posts a delivery, prints the result and resolves to the status. */
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
    } else this.#report(delivery.svixId, type, status, ms)
    if (failure && !this.#explained.has(failure.code)) this.#explain(failure)
    if (status === null) throw new Error('no answer')
    return status
  }

  #report(id: string, type: string, status: number | null, ms: number): void {
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
    const shown = stdout.width < NARROW ? cells.slice(0, 3) : cells
    stdout.lines(layOut([shown], stdout.width, [8, 3, 31, 6]))
  }

  #explain({ code, message, remedy }: { code: string; message: string; remedy: string }): void {
    this.#explained.add(code)
    this.#output.note(`          ${message} ${remedy}`)
  }
}

function typeOf({ body }: Posted): string {
  return JSON.parse(Buffer.from(body).toString()).type
}
