/** `clerk-sync trigger`: sends signed sample events to a webhook route. */

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { EVENT_TYPES } from '../../clerk/catalogue.ts'
import { closest } from '../../closest.ts'
import type { ConfiguredSecret } from '../../config.ts'
import { loadConfiguration, requireSecrets } from '../../configuration/configuration.ts'
import { type Answer, send } from '../../doctor/send.ts'
import { describeProblem, type Explained } from '../../explanations/problems.ts'
import type { ClerkEvent, EventType } from '../../index.ts'
import { WEBHOOK_PATHS } from '../../server/server.ts'
import { createSigningSecret, type SignedDelivery, signDelivery } from '../../testing/sign.ts'
import { composeEvent } from '../composed-event.ts'
import { EXIT, failureLines, usageError } from '../failure.ts'
import { noteLogger } from '../open.ts'
import {
  collect,
  type GlobalOptions,
  parseCount,
  parseDuration,
  parseRate,
  parseUrl,
  withExamples,
} from '../options.ts'
import { Output } from '../output.ts'
import { defaultUrl } from '../serving.ts'
import { quote, toJsonLine } from '../text.ts'

interface TriggerOptions extends GlobalOptions, SendOptions {
  readonly to?: URL
  readonly set?: readonly string[]
  readonly data?: string
  readonly id?: string
  readonly count: number
  readonly late?: number
  readonly print?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync trigger user.created --set data.first_name=Ada', 'a sample with one field changed'],
    ['clerk-sync trigger user.created --to http://localhost:3000/api/webhooks/clerk', 'send it to your app'],
    ['clerk-sync trigger user.updated --count 50 --rate 10/s', 'send fifty of them'],
  ])
  command
    .argument('<types...>', 'any of Clerk’s event types, such as user.created')
    .option('--to <url>', `the webhook route (http://localhost:PORT${WEBHOOK_PATHS[0]})`, parseUrl)
    .option(
      '--set <path=value>',
      'set a field of the event, such as data.first_name=Ada; repeatable',
      collect,
    )
    .option('--data <source>', 'the event’s data, or a whole event, as JSON: @file.json, or - for stdin')
    .option('--id <svix-id>', 'the message id (random)', parseId)
    .option('--count <number>', 'number of events to send of each type', parseCount, 1)
    .option('--rate <rate>', 'send at this rate, such as 10/s or 90/m (one after the other)', parseRate)
    .option('--duplicate', 'send each event twice, as Svix may do')
    .option('--late <duration>', 'date the event this far back, such as 10m', parseDuration)
    .option('--forge', 'sign with a wrong secret; succeeds if the route rejects it')
    .option('--print', 'print a curl command and send nothing')
    .action((types: string[], _, self: Command) => trigger(types, self.optsWithGlobals()))
}

async function trigger(names: readonly string[], options: TriggerOptions): Promise<void> {
  const output = new Output(options)
  const types = names.map(knownType)
  const { secret, instanceId } = options.forge
    ? { secret: createSigningSecret(), instanceId: null }
    : await configuredSecret(options, output)
  const data = options.data === undefined ? undefined : await readSource(options.data)
  const createMessage = (type: EventType): Message => {
    const built = composeEvent(type, { ...options, data })
    // A bound secret signs for its instance alone.
    const event = instanceId === null ? built : { ...built, instance_id: instanceId }
    return { event, delivery: signDelivery(toJsonLine(event), { secret, svixId: options.id }) }
  }
  const to = options.to ?? defaultUrl()
  const queue = Array.from({ length: options.count }, () => types).flat()
  if (!options.print) return new Sender(to, options, output).sendAll(queue, createMessage)
  for (const type of queue) print(createMessage(type).delivery, to, output)
}

async function configuredSecret(flags: GlobalOptions, output: Output): Promise<ConfiguredSecret> {
  const { options } = await loadConfiguration(flags)
  const [secret] = requireSecrets({ ...options, log: noteLogger(output) })
  return secret
}

function print({ headers, body }: SignedDelivery, to: URL, output: Output): void {
  const request = {
    type: 'request',
    method: 'POST',
    url: to.href,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body).toString(),
  }
  if (output.json) output.stdout.record(request)
  else output.stdout.exact(`${toCurl(request)}\n`)
  output.note('The signature is valid for 5 minutes.')
}

function knownType(name: string): EventType {
  const type = EVENT_TYPES.find((known) => known === name)
  if (type !== undefined) return type
  const likely = closest(name, EVENT_TYPES)
  const remedy = likely === undefined ? '' : `Did you mean ${likely}? `
  throw usageError(`Clerk has no event type "${name}".`, `${remedy}There are ${EVENT_TYPES.join(', ')}.`)
}

async function readSource(source: string): Promise<string> {
  if (source !== '-' && !source.startsWith('@')) {
    throw usageError(`--data takes @file.json, or - for stdin, not "${source}".`, 'Write --data @file.json.')
  }
  try {
    return await (source === '-' ? text(process.stdin) : readFile(source.slice(1), 'utf8'))
  } catch (error) {
    throw usageError(`The data cannot be read: ${(error as Error).message}.`, 'Check the path after the @.')
  }
}

/** Anything that can stand in a header: a wrong id may be what is to be tried. */
function parseId(text: string): string {
  if (/^[!-~]+$/.test(text)) return text
  throw new InvalidArgumentError('It must be visible ASCII characters.')
}

interface SendOptions {
  /** Milliseconds from one delivery to the next; each after the answer to the one before if absent. */
  readonly rate?: number
  /** Whether each is sent twice. */
  readonly duplicate?: boolean
  /** Whether the signatures are wrong, so that an answer must be a refusal. */
  readonly forge?: boolean
}

/** An event and the request that delivers it. */
interface Message {
  readonly event: ClerkEvent
  readonly delivery: SignedDelivery
}

/** Sends messages to a webhook route and reports each. */
class Sender {
  readonly #to: URL
  readonly #options: SendOptions
  readonly #output: Output
  /** The codes that were explained: once is enough. */
  readonly #explained = new Set<string>()
  #sent = 0
  #failed = 0

  constructor(to: URL, options: SendOptions, output: Output) {
    this.#to = to
    this.#options = options
    this.#output = output
  }

  /** Sends a message of each type, and sets the exit code if any fails. */
  async sendAll(types: readonly EventType[], createMessage: (type: EventType) => Message): Promise<void> {
    await forEachAtRate(types, this.#options.rate, async (type) => {
      const message = createMessage(type)
      await this.#send(message)
      if (this.#options.duplicate) await this.#send(message)
    })
    if (this.#sent > 1) this.#output.note(`${this.#sent} sent, ${this.#failed} failed`)
    if (this.#failed > 0) process.exitCode = EXIT.failed
  }

  async #send({ event, delivery }: Message): Promise<void> {
    const { json, stdout } = this.#output
    const { dim } = stdout.colors
    if (!json) stdout.line(`→ ${event.type} ${dim(delivery.svixId)}`)
    const answer = await send(this.#to, delivery)
    const failure = this.#options.forge ? judgeForgery(answer) : answer.failure
    this.#sent++
    if (failure) this.#failed++
    if (json) this.#record({ event, delivery }, answer, failure)
    else this.#print(answer, failure)
  }

  #record({ event, delivery }: Message, { status, ms }: Answer, failure: Explained | null): void {
    this.#output.stdout.record({
      type: 'delivery',
      id: delivery.svixId,
      event_type: event.type,
      resource_id: event.data.id,
      url: this.#to,
      status,
      ms,
      ...(failure && { error: failure }),
    })
  }

  #print({ status, ms }: Answer, failure: Explained | null): void {
    const { stdout, stderr } = this.#output
    const { green, red } = stdout.colors
    const color = failure ? red : green
    stdout.line(`← ${color(String(status ?? 'no answer'))} POST ${this.#to} ${ms}ms`)
    if (!failure || this.#explained.has(failure.code)) return
    this.#explained.add(failure.code)
    stderr.lines(failureLines(failure, stderr))
  }
}

/** A forgery must be refused, and for its signature: a route that is not there proves nothing. */
function judgeForgery({ status, failure }: Answer): Explained | null {
  const isRefused = failure?.code === 'signature_mismatch' || failure?.code === 'delivery_refused'
  if (isRefused) return null
  if (failure) return failure
  return describeProblem('forgery_accepted', `it answers ${status}`)
}

/** Works on items at a rate, whatever the work takes; without one, on each after the one before. */
async function forEachAtRate<Item>(
  items: readonly Item[],
  intervalMs: number | undefined,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now()
  const underWay: Promise<void>[] = []
  for (const [index, item] of items.entries()) {
    if (intervalMs === undefined) {
      await work(item)
      continue
    }
    await sleep(Math.max(0, startedAt + index * intervalMs - performance.now()))
    underWay.push(work(item))
  }
  await Promise.all(underWay)
}

interface PrintedRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The command that sends a request. */
function toCurl({ url, headers, body }: PrintedRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  return [`curl -i ${quote(url)}`, ...lines, `--data-binary ${quote(body)}`].join(' \\\n  ')
}
