/** How one event looks, with everything that is known of it. */

import { parseExact, textOf } from '../clerk/exact-json.ts'
import { REASONS } from '../explanations/reasons.ts'
import type { Change } from '../index.ts'
import type { EventDetails } from '../inspect/events.ts'
import { outcomeCell } from './entry.ts'
import type { Pen } from './output.ts'
import { type Cell, cut, formatExactTime, layOut, printable, printableLines } from './text.ts'

export function recordOf({ body, body_sha256, ...facts }: EventDetails): object {
  return { ...facts, body_sha256: Buffer.from(body_sha256).toString('hex'), body: body && textOf(body) }
}

export function detailLines(event: EventDetails, pen: Pen): string[] {
  const { bold, dim } = pen.colors
  const { changes } = event
  const title = (text: string) => ['', bold(text)]
  return [
    ...layOut(factRows(event, pen), pen.width),
    ...(changes === null ? [] : [...title('Changes'), ...changeLines(changes, pen)]),
    ...title('Payload'),
    event.body === null ? dim(whyBodiless(event)) : pretty(textOf(event.body)),
  ]
}

function factRows(event: EventDetails, pen: Pen): Cell[][] {
  const { dim } = pen.colors
  const facts: [name: string, value: Cell | string | null][] = [
    ['event', event.id],
    ['outcome', outcomeCell(event.outcome, pen)],
    ['reason', event.reason && `${event.reason}: ${REASONS[event.reason].label}`],
    ['error', event.error],
    ['type', event.type],
    ['resource', event.resource],
    ['subject', event.resource_id],
    ['instance', event.instance_id],
    ['occurred', formatExactTime(event.occurred_at)],
    ['received', formatExactTime(event.received_at)],
    ['delivered', deliveriesOf(event)],
    ['replayed', event.replayed_at && formatExactTime(event.replayed_at)],
    ['body', bodyFacts(event)],
  ]
  return facts
    .filter((fact): fact is [string, Cell | string] => fact[1] !== null)
    .map(([name, value]) => [{ text: name, style: dim }, typeof value === 'string' ? { text: value } : value])
}

function deliveriesOf({ deliveries, last_delivered_at }: EventDetails): string {
  if (deliveries === 1 || last_delivered_at === null) return 'once'
  return `${deliveries} times, last ${formatExactTime(last_delivered_at)}`
}

function whyBodiless({ body_forgotten_at: at }: EventDetails): string {
  return at ? `no longer kept: forgotten ${formatExactTime(at)}, see retention.eventBodies` : 'no longer kept'
}

function bodyFacts(event: EventDetails): string {
  const { body, body_conflict, redacted } = event
  const facts = [
    body === null ? whyBodiless(event) : `${body.byteLength} bytes`,
    redacted && 'one-time codes and tickets removed',
    body_conflict && 'a later delivery of this id had a different body; only the first was applied',
  ]
  return facts.filter(Boolean).join('; ')
}

/** `first_name  "Ada" → "Eva"`, or both values on lines of their own if they are long. */
function changeLines(changes: Record<string, Change>, pen: Pen): string[] {
  const { dim, red, green } = pen.colors
  const fieldWidth = Math.max(...Object.keys(changes).map((field) => field.length))
  return Object.entries(changes).flatMap(([field, change]) => {
    const [from, to] = [printable(toJson(change.from)), printable(toJson(change.to))]
    const isShort = fieldWidth + from.length + to.length + 5 <= Math.min(pen.width, 100)
    if (isShort) return [`${field.padEnd(fieldWidth)}  ${red(from)} ${dim('→')} ${green(to)}`]
    const width = pen.width - 4
    const same = sameStart(from, to)
    return [
      field,
      `  ${red(`- ${excerpt(from, same, width)}`)}`,
      `  ${green(`+ ${excerpt(to, same, width)}`)}`,
    ]
  })
}

/** How many characters two texts start with alike. */
function sameStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** The text if it fits, else from a little before what differs. */
function excerpt(text: string, same: number, width: number): string {
  const start = same - 20
  return text.length <= width || start <= 0 ? cut(text, width) : cut(`…${text.slice(start)}`, width)
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** JSON indented, anything else as it is. */
function pretty(text: string): string {
  try {
    return printableLines(JSON.stringify(parseExact(text), null, 2))
  } catch {
    return printableLines(text)
  }
}
