/** `clerk-sync trigger`: sends signed sample events to a webhook route. */

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { type Command, InvalidArgumentError } from 'commander'
import { EVENT_TYPES } from '../../clerk/catalogue.ts'
import { closest } from '../../closest.ts'
import type { ConfiguredSecret } from '../../config.ts'
import type { EventType } from '../../index.ts'
import { WEBHOOK_PATHS } from '../../server/server.ts'
import { createSigningSecret, type SignedDelivery, signDelivery } from '../../testing/sign.ts'
import { loadConfiguration } from '../configuration.ts'
import { toCurl } from '../curl.ts'
import { usageError } from '../failure.ts'
import { noteLogger } from '../notes.ts'
import {
  type ConfigOptions,
  collect,
  parseCount,
  parseDuration,
  parseRate,
  parseUrl,
  withExamples,
} from '../options.ts'
import { Output, type OutputOptions } from '../output.ts'
import { buildEvent } from '../sample.ts'
import { requireSecrets } from '../secrets.ts'
import { defaultUrl } from '../send.ts'
import { type Message, Sender, type SendOptions } from '../sender.ts'
import { toJsonLine } from '../text.ts'

interface TriggerOptions extends OutputOptions, SendOptions, ConfigOptions {
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
    const built = buildEvent(type, { ...options, data })
    // A bound secret signs for its instance alone.
    const event = instanceId === null ? built : { ...built, instance_id: instanceId }
    return { event, delivery: signDelivery(toJsonLine(event), { secret, svixId: options.id }) }
  }
  const to = options.to ?? defaultUrl()
  const queue = Array.from({ length: options.count }, () => types).flat()
  if (!options.print) return new Sender(to, options, output).sendAll(queue, createMessage)
  for (const type of queue) print(createMessage(type).delivery, to, output)
}

async function configuredSecret(flags: ConfigOptions, output: Output): Promise<ConfiguredSecret> {
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
