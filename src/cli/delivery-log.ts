/**
 * What a running server tells: a line for every delivery. For people on a terminal, else as JSON, one object a line.
 */

import type { ErrorCode } from '../errors.ts'
import { REASONS } from '../explanations/reasons.ts'
import type { DeliveryFact, Logger, Reason, TriedRun } from '../index.ts'
import { toJson } from '../log.ts'
import { entryLines, listShort } from './entry.ts'
import { remedyLines } from './failure.ts'
import type { Output, Pen } from './output.ts'
import { printable } from './text.ts'

/** What the sync logs of a delivery that it took. */
export interface TakenDelivery extends Omit<DeliveryFact, 'kind'> {
  readonly reason: Reason | null
}

/** What the sync logs of a delivery that it did not take. */
interface RefusedDelivery {
  readonly code: ErrorCode
  readonly status: number
  readonly message: string
  readonly remedy: string
  /** The reference that the sender got. */
  readonly ref: string
  /** What was found to be the reason. */
  readonly mismatchCause?: string
  /** How many there were since the last line about this code; absent for a single one. */
  readonly again?: number
}

type Level = 'info' | 'warn' | 'error'

/** For the pace of the latest deliveries. */
const MAX_DURATIONS = 200

export class DeliveryLog implements Logger {
  /** How many deliveries had each outcome. */
  readonly outcomes = new Map<DeliveryFact['outcome'], number>()
  /** The runs of handlers that have failed and not succeeded since. */
  readonly failing = new Map<string, TriedRun['ending']>()
  /** Lines for people without this text are not shown. */
  filter = ''
  readonly #output: Output
  readonly #detailsOf: (eventId: string) => object
  /** The codes and causes whose remedy was already printed. */
  readonly #explained = new Set<string>()
  readonly #durations: number[] = []

  /** @param detailsOf what the record of a delivery holds besides */
  constructor(output: Output, detailsOf: (eventId: string) => object = () => ({})) {
    this.#output = output
    this.#detailsOf = detailsOf
  }

  /** The milliseconds within which 95 of the latest 100 were taken; undefined without any. */
  get p95(): number | undefined {
    const sorted = this.#durations.toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length * 0.95)]
  }

  debug(): void {}

  info(fields: object, message: string): void {
    if (message === 'delivery' && 'eventId' in fields) this.#taken(fields as TakenDelivery)
    else if (isTriedRun(fields, message)) this.#tried('info', fields)
    else this.#write('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#attend('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#attend('error', fields, message)
  }

  #attend(level: Level, fields: object, message: string): void {
    if (message === 'delivery refused' && 'remedy' in fields) this.#refused(level, fields as RefusedDelivery)
    else if (isTriedRun(fields, message)) this.#tried(level, fields)
    else this.#write(level, fields, message)
  }

  #taken(delivery: TakenDelivery): void {
    this.outcomes.set(delivery.outcome, (this.outcomes.get(delivery.outcome) ?? 0) + 1)
    this.#durations.push(delivery.ms)
    if (this.#durations.length > MAX_DURATIONS) this.#durations.shift()
    if (this.#isForPeople) this.#show(delivery, deliveryLines)
    else
      this.#record('event', 'info', 'delivery', {
        ...takenRecord(delivery),
        ...this.#detailsOf(delivery.eventId),
      })
  }

  #tried(level: Level, run: TriedRun): void {
    const key = `${run.handler} ${run.eventId}`
    if (run.ending === 'handled') this.failing.delete(key)
    else this.failing.set(key, run.ending)
    if (this.#isForPeople) this.#show(run, runLines)
    else this.#record('handler', level, 'handler', run)
  }

  #refused(level: Level, refusal: RefusedDelivery): void {
    if (this.#isForPeople) this.#printRefusal(refusal)
    else this.#record('refusal', level, 'delivery refused', refusal)
  }

  #printRefusal(refusal: RefusedDelivery): void {
    if (!this.#show(refusal, refusalLines)) return
    const kind = refusal.mismatchCause ?? refusal.code
    if (this.#explained.has(kind)) return
    this.#explained.add(kind)
    for (const line of remedyLines(refusal.remedy, 10, this.#output.stderr)) this.#output.note(line)
  }

  /** Whether it was shown. What is looked for may be in a column that there is no room for. */
  #show<Fields extends object>(fields: Fields, toLines: (fields: Fields, pen: Pen) => string[]): boolean {
    const isShown = Object.values(fields).some((value) => String(value).includes(this.filter))
    const { stdout } = this.#output
    if (isShown) stdout.lines(toLines(fields, stdout))
    return isShown
  }

  #write(level: Level, fields: object, message: string): void {
    if (this.#isForPeople) this.#output.note(noticeLine(message, fields, this.#output.stderr))
    else this.#record('log', level, message, fields)
  }

  /** Level, time and `msg` are named as in pino's lines. */
  #record(type: string, level: Level, msg: string, fields: object): void {
    this.#output.stdout.record({ type, level, time: new Date(), msg, ...fields })
  }

  get #isForPeople(): boolean {
    return this.#output.stdout.isTerminal && !this.#output.json
  }
}

/** A handler's own line may have the same message; only the worker's says how the run ended. */
function isTriedRun(fields: object, message: string): fields is TriedRun {
  return message === 'handler' && 'ending' in fields && 'ms' in fields
}

function takenRecord({ eventId, type, resource, resourceId, outcome, reason, changed, ms }: TakenDelivery) {
  return { eventId, event_type: type, resource, resource_id: resourceId, outcome, reason, changed, ms }
}

/** `14:02:11  ✓ applied  user.updated  8ms  first_name, image_url`, and the ids of subject and event */
export function deliveryLines(delivery: TakenDelivery, pen: Pen, now = new Date()): string[] {
  const { type, resourceId, eventId, outcome: result, ms } = delivery
  const ids = [resourceId ?? '', eventId]
  return entryLines(
    { at: now, result, name: type ?? 'no event', ids, ms, detail: detailOf(delivery) },
    pen,
    now,
  )
}

/** `14:02:16  ⊘ rejected  signature_mismatch`, and `rej_0123456789ab  The signature does not match …` */
export function refusalLines(refusal: RefusedDelivery, pen: Pen, now = new Date()): string[] {
  const { code, status, message, ref, again } = refusal
  const detail = again === undefined ? message : `${again} more in the last seconds`
  const result = status < 500 ? 'rejected' : 'refused'
  return entryLines({ at: now, result, name: code, ids: [ref], detail }, pen, now)
}

/** `14:02:16  └ retrying  syncCrm  2000ms`, and `msg_2Lh9…  again in 5 s: Error: connect ECONNREFUSED` */
export function runLines(run: TriedRun, pen: Pen, now = new Date()): string[] {
  const { handler: name, eventId, ending: result, ms } = run
  return entryLines({ at: now, result, name, ids: [eventId], ms, detail: failureOf(run) }, pen, now)
}

function failureOf({ error, retryInSeconds }: TriedRun): string {
  const [reason = ''] = (error ?? '').split('\n')
  return retryInSeconds === undefined ? reason : `again in ${Math.ceil(retryInSeconds)} s: ${reason}`
}

/** `  ! the event loop was blocked  handlers=["syncCrm"] ms=9012` */
export function noticeLine(message: string, fields: object, { colors }: Pen): string {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined)
  const details = known.map(([name, value]) => `${name}=${typeof value === 'string' ? value : toJson(value)}`)
  const tail = details.length > 0 ? `  ${colors.dim(printable(details.join(' ')))}` : ''
  return `  ${colors.yellow('!')} ${printable(message)}${tail}`
}

function detailOf({ eventId, outcome, reason, changed }: TakenDelivery): string {
  if (outcome === 'duplicate') return 'was delivered before'
  if (outcome === 'failed') return `clerk-sync events show ${eventId}`
  return reason === null ? listShort(changed) : REASONS[reason].label
}
