/** `clerk-sync events show`. */

import type { Command } from 'commander'
import type { Change } from '../../index.ts'
import { type EventDetails, getEvent } from '../../inspect/events.ts'
import { REASONS } from '../../inspect/reasons.ts'
import { CommandError } from '../failure.ts'
import { type Cell, layOut } from '../layout.ts'
import { requireDatabase, withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { outcomeCell } from '../outcome.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'
import { cut, printable, printableLines } from '../text.ts'
import { formatExactTime } from '../times.ts'

interface ShowOptions extends OutputOptions, DatabaseOptions {
  readonly body?: boolean
}

export function registerShow(command: Command): void {
  withExamples(command, [
    ['clerk-sync events show msg_2Lh9KRb…', 'facts, what changed, payload'],
    ['clerk-sync events show msg_2Lh9KRb… --body > body.json', 'the bytes that were signed'],
  ])
  withDatabaseOptions(command)
    .argument('<id>', 'the event’s id: its svix-id, msg_…')
    .option('--body', 'print the stored body and nothing else')
    .action((id: string, _, self: Command) => show(id, self.optsWithGlobals()))
}

function show(id: string, options: ShowOptions): Promise<void> {
  const output = new Output(options)
  return withSync(options, output, async (sync) => {
    requireDatabase(sync)
    const event = await getEvent({ database: sync.database, schema: sync.location.schema }, id)
    if (options.body) printBody(event, output.stdout)
    else if (output.json) output.stdout.record(toRecord(event))
    else for (const line of toLines(event, output.stdout)) output.stdout.line(line)
  })
}

/** The bytes as they are, unless a terminal would obey them. */
function printBody({ id, body }: EventDetails, pen: Pen): void {
  if (body === null) {
    const remedy = 'Omit --body to see the other facts of the event.'
    throw new CommandError('body_not_kept', `The body of ${id} is no longer kept.`, remedy)
  }
  if (pen.isTerminal) pen.line(printableLines(toText(body)))
  else pen.exact(body)
}

function toRecord({ body, body_sha256, ...facts }: EventDetails): object {
  return { ...facts, body_sha256: Buffer.from(body_sha256).toString('hex'), body: body && toText(body) }
}

function toLines(event: EventDetails, pen: Pen): string[] {
  const { bold, dim } = pen.colors
  const { changes } = event
  const title = (text: string) => ['', bold(text)]
  return [
    ...layOut(factRows(event, pen), pen.width),
    ...(changes === null ? [] : [...title('Changes'), ...changeLines(changes, pen)]),
    ...title('Payload'),
    event.body === null ? dim(whyBodiless(event)) : pretty(toText(event.body)),
  ]
}

function factRows(event: EventDetails, pen: Pen): Cell[][] {
  const { dim } = pen.colors
  const facts: [name: string, value: Cell | string | null][] = [
    ['event', event.id],
    ['outcome', outcomeCell(event.outcome, pen)],
    ['reason', event.reason && `${event.reason}: ${REASONS[event.reason]}`],
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
    return printableLines(JSON.stringify(JSON.parse(text), null, 2))
  } catch {
    return printableLines(text)
  }
}

function toText(body: Uint8Array): string {
  return Buffer.from(body).toString()
}
