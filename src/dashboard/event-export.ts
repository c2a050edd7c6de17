/** Exports a list of events as a file. */

import { listEventItems } from '../inspect/event-list.ts'
import type { EventItem, ExportFormat } from './api.ts'
import { browse, type Call } from './context.ts'
import { SECURITY_HEADERS } from './page.ts'
import { eventFilterOf } from './request.ts'

/** More is a matter for SQL. */
const MAX_EVENTS = 10_000
const PAGE = 100

interface Format {
  readonly contentType: string
  readonly head: string
  toLine(event: EventItem): string
}

const COLUMNS: Readonly<Record<string, (event: EventItem) => string | number | null | undefined>> = {
  received_at: ({ receivedAt }) => receivedAt,
  occurred_at: ({ occurredAt }) => occurredAt,
  id: ({ id }) => id,
  type: ({ type }) => type,
  outcome: ({ outcome }) => outcome,
  reason: ({ reason }) => reason?.code,
  resource: ({ subject }) => subject?.resource,
  resource_id: ({ subject }) => subject?.id,
  label: ({ subject }) => subject?.label,
  source: ({ source }) => source,
  deliveries: ({ deliveries }) => deliveries,
  changed_fields: ({ changedFields }) => changedFields,
  runs: ({ runs }) =>
    Object.entries(runs)
      .map(([state, count]) => `${state} ${count}`)
      .join(', '),
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: `${Object.keys(COLUMNS).join(',')}\r\n`,
    toLine: (event) =>
      `${Object.values(COLUMNS)
        .map((read) => toCell(read(event)))
        .join(',')}\r\n`,
  },
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    toLine: (event) => `${JSON.stringify(event)}\n`,
  },
}

/** Spreadsheets take what begins so for a formula, and names are anybody's text. */
const FORMULA = /^[=+\-@\t\r]/

function toCell(value: string | number | null | undefined): string {
  const text = String(value ?? '')
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}

/** What is wrong with the question is answered before the file begins; later only its end can be missing. */
export async function exportEvents(call: Call): Promise<Response> {
  const name = call.query.oneOf('format', ['csv', 'ndjson']) ?? 'csv'
  const { contentType, head, toLine } = FORMATS[name]
  const pages = pagesOf(call)
  let next: Promise<IteratorResult<readonly EventItem[]>> = Promise.resolve(await pages.next())
  const encoder = new TextEncoder()
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode(head)),
    async pull(controller) {
      const { value, done } = await next
      if (done) return controller.close()
      controller.enqueue(encoder.encode(value.map(toLine).join('')))
      next = pages.next()
      // It may fail before anybody awaits it.
      next.catch(() => undefined)
    },
  })
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': contentType,
    'content-disposition': `attachment; filename="clerk-sync-events.${name}"`,
    'cache-control': 'no-store',
  }
  return new Response(body, { headers })
}

async function* pagesOf(call: Call): AsyncGenerator<readonly EventItem[]> {
  const filter = eventFilterOf(call.query)
  let cursor: string | undefined
  for (let left = MAX_EVENTS; left > 0; left -= PAGE) {
    const page = await browse(call, (reading) =>
      listEventItems(reading, filter, { limit: PAGE, cursor }, call.isMasking),
    )
    yield page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}
