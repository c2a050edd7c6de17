/** A line for each delivery that the command line posts to a webhook route. */

import { type Answer, type Posted, send } from '../doctor/send.ts'
import type { Explained } from '../explanations/problems.ts'
import { NARROW } from './entry.ts'
import type { Output, Pen } from './output.ts'
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
    const posted = { id: delivery.svixId, event_type: typeOf(delivery), status, ms }
    const record = { type: 'delivery', ...posted, ...(failure && { error: failure }) }
    this.#output.print(record, (pen) => postedLines(posted, pen))
    if (failure && !this.#explained.has(failure.code)) this.#explain(failure)
    if (status === null) throw new Error('no answer')
    return status
  }

  #explain({ code, message, remedy }: Explained): void {
    this.#explained.add(code)
    this.#output.note(`          ${message} ${remedy}`)
  }
}

function typeOf({ body }: Posted): string {
  return JSON.parse(Buffer.from(body).toString()).type
}

interface PostedDelivery extends Pick<Answer, 'status' | 'ms'> {
  readonly id: string
  readonly event_type: string
}

/** `14:02:11  200  user.updated  11ms  msg_2Lh9…` */
function postedLines({ id, event_type, status, ms }: PostedDelivery, { width, colors }: Pen): string[] {
  const { dim, green, red } = colors
  const isTaken = status !== null && status < 300
  const cells = [
    { text: formatTime(new Date()), style: dim },
    { text: status === null ? 'no answer' : String(status), style: isTaken ? green : red },
    { text: event_type },
    { text: `${ms}ms`.padStart(6), style: dim },
    { text: id, style: dim },
  ]
  const shown = width < NARROW ? cells.slice(0, 3) : cells
  return layOut([shown], width, [8, 3, 31, 6])
}
