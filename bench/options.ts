/** The command line that all scripts share. */

import { parseArgs } from 'node:util'

const SPECIFICATION = {
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  connections: { type: 'string' },
  variants: { type: 'string' },
  workloads: { type: 'string' },
  baseline: { type: 'string' },
  events: { type: 'string' },
  rate: { type: 'string' },
  'round-trips': { type: 'string' },
  database: { type: 'string' },
  fill: { type: 'boolean', default: false },
  short: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export interface Options {
  /** Seconds that each variant is measured in each round. */
  readonly seconds: number
  readonly rounds: number
  /** How many deliveries are under way at a time; each number is measured. */
  readonly connections: readonly number[]
  /** Undefined means all. */
  readonly variants: readonly string[] | undefined
  /** Undefined means all. */
  readonly workloads: readonly string[] | undefined
  /** The folder of another checkout that is built, to measure beside this one. */
  readonly baseline: string | undefined
  readonly events: number | undefined
  /** Deliveries per second that are sent, whether or not earlier ones are answered. */
  readonly rate: number | undefined
  /** Milliseconds that a round trip between app and database takes; each number is measured. */
  readonly roundTrips: readonly number[] | undefined
  /** A database that is made if there is none, and kept afterwards. */
  readonly database: string | undefined
  /** Only fill the database, in as many calls as it takes. */
  readonly fill: boolean
  /** A tenth of the work, to try the script out. */
  readonly short: boolean
  /** One JSON object on stdout, instead of tables. */
  readonly json: boolean
}

interface Defaults {
  readonly seconds: number
  readonly rounds: number
  readonly connections?: readonly number[]
}

/** Reads the command line; options that are absent take their defaults. */
export function readOptions(defaults: Defaults): Options {
  const { values } = parseArgs({ options: SPECIFICATION })
  return {
    seconds: positive('seconds', values.seconds) ?? defaults.seconds,
    rounds: positive('rounds', values.rounds) ?? defaults.rounds,
    connections: numbers('connections', values.connections) ?? defaults.connections ?? [64],
    variants: values.variants?.split(','),
    workloads: values.workloads?.split(','),
    baseline: values.baseline,
    events: positive('events', values.events),
    rate: positive('rate', values.rate),
    roundTrips: numbers('round-trips', values['round-trips']),
    database: values.database,
    fill: values.fill,
    short: values.short,
    json: values.json,
  }
}

function numbers(name: string, text: string | undefined): number[] | undefined {
  return text?.split(',').map((each) => positive(name, each) as number)
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`--${name} must be a number above 0`)
}
