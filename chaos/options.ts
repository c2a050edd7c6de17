/** The command line. */

import { parseArgs } from 'node:util'
import { GUARDS, type Guard } from './guards.ts'
import { NEMESES } from './nemeses.ts'
import { Random } from './random.ts'
import type { EngineName } from './site.ts'

export const USAGE = `npm run chaos -- [options]

  --minutes N      how long events are sent and harm is done (4)
  --seed S         what goes wrong, in which order (random, printed)
  --rate N         events a second (30)
  --receivers N    receiver processes (2)
  --workers N      worker processes (2)
  --engine NAME    postgres or bullmq (chosen by the seed)
  --nemeses A,B    only these: ${NEMESES.map(({ name }) => name).join(', ')}
  --compress N     how many times faster than Svix's its retry schedule passes (1000)
  --settle N       seconds for everything to be done after the last harm (90)
  --break GUARD    breaks a guard on purpose, which must be found: ${GUARDS.join(', ')}
  --json           the result as one JSON document
`

export interface Options {
  readonly minutes: number
  readonly seed: number
  readonly rate: number
  readonly receivers: number
  readonly workers: number
  readonly engine: EngineName
  readonly nemeses: readonly string[]
  readonly compress: number
  readonly settleSeconds: number
  readonly guard: Guard | undefined
  readonly json: boolean
}

/** @throws {Error} with what is wrong */
export function readOptions(args: string[]): Options | 'help' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args,
    options: {
      minutes: { ...text, default: '4' },
      seed: { ...text, default: String(Math.floor(Math.random() * 1_000_000)) },
      rate: { ...text, default: '30' },
      receivers: { ...text, default: '2' },
      workers: { ...text, default: '2' },
      engine: text,
      nemeses: text,
      compress: { ...text, default: '1000' },
      settle: { ...text, default: '90' },
      break: text,
      json: flag,
      help: flag,
    },
  })
  if (values.help) return 'help'
  const seed = positive('seed', values.seed, 0)
  return {
    seed,
    minutes: positive('minutes', values.minutes),
    rate: positive('rate', values.rate),
    receivers: positive('receivers', values.receivers),
    workers: positive('workers', values.workers),
    engine: oneOf('engine', values.engine, ['postgres', 'bullmq']) ?? engineOf(seed),
    nemeses: nemesesNamed(values.nemeses),
    compress: positive('compress', values.compress),
    settleSeconds: positive('settle', values.settle),
    guard: oneOf('break', values.break, GUARDS),
    json: values.json,
  }
}

function engineOf(seed: number): EngineName {
  return new Random(seed).pick(['bullmq', 'postgres'])
}

function positive(name: string, value: string, least = Number.MIN_VALUE): number {
  const number = Number(value)
  if (value !== '' && Number.isFinite(number) && number >= least) return number
  throw new Error(`--${name} must be a positive number, not "${value}"`)
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  names: readonly T[],
): T | undefined {
  if (value === undefined) return undefined
  const found = names.find((each) => each === value)
  if (found) return found
  throw new Error(`--${name} must be one of ${names.join(', ')}, not "${value}"`)
}

function nemesesNamed(value: string | undefined): string[] {
  const names = NEMESES.map(({ name }) => name)
  if (value === undefined) return names
  return value.split(',').flatMap((name) => oneOf('nemeses', name, names) ?? [])
}
