/** The command line that all scripts share. */

import { parseArgs } from 'node:util'

const SPECIFICATION = {
  duration: { type: 'string' },
  rounds: { type: 'string' },
  connections: { type: 'string' },
  variants: { type: 'string' },
  events: { type: 'string' },
  short: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export interface Options {
  /** Seconds that each variant is measured in each round. */
  readonly duration: number
  readonly rounds: number
  readonly connections: number
  /** Undefined means all. */
  readonly variants: readonly string[] | undefined
  readonly events: number | undefined
  /** A tenth of the work, to try the script out. */
  readonly short: boolean
  /** One JSON object on stdout, instead of tables. */
  readonly json: boolean
}

/** Reads the command line; what it does not say is taken from the defaults. */
export function readOptions(defaults: { duration: number; rounds: number }): Options {
  const { values } = parseArgs({ options: SPECIFICATION })
  return {
    duration: positive('duration', values.duration) ?? defaults.duration,
    rounds: positive('rounds', values.rounds) ?? defaults.rounds,
    connections: positive('connections', values.connections) ?? 64,
    variants: values.variants?.split(','),
    events: positive('events', values.events),
    short: values.short,
    json: values.json,
  }
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`--${name} must be a number above 0`)
}
