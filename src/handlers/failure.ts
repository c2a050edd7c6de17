/** What is kept of a failed try. Handlers throw anything: nothing in here may fail. */

import { hash } from 'node:crypto'
import { toStorableText } from '../clerk/storable.ts'

const MAX_LENGTH = 2_000
/** The frames that say where it happened; the rest is the way there. */
const MAX_FRAMES = 4

export interface Failure {
  /** Name, message and the first lines of the stack. */
  readonly error: string
  /** The same for failures that differ only in ids and numbers. */
  readonly fingerprint: string
}

export function describeFailure(thrown: unknown): Failure {
  const { head, frames } = dissect(thrown)
  const error = toStorableText([head, ...frames].join('\n').slice(0, MAX_LENGTH))
  return { error, fingerprint: fingerprintOf(head) }
}

function dissect(thrown: unknown): { head: string; frames: readonly string[] } {
  try {
    if (!(thrown instanceof Error))
      return { head: short(`${typeof thrown} thrown: ${describe(thrown)}`), frames: [] }
    const head = short(`${thrown.name}: ${messageOf(thrown)}`)
    const frames = String(thrown.stack ?? '')
      .slice(-20_000)
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
    return { head, frames: frames.slice(0, MAX_FRAMES) }
  } catch {
    return { head: 'an error that cannot be described', frames: [] }
  }
}

/** Connection errors to several addresses have an empty message and the reasons inside. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return String(error.message)
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ')
}

function describe(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null
    ? (JSON.stringify(thrown) ?? String(thrown))
    : String(thrown)
}

function short(text: string): string {
  return text.slice(0, MAX_LENGTH)
}

/** What differs from one occurrence to the next of the same fault. */
const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>'],
  [/\b[a-z]+_[0-9A-Za-z]{8,}\b/g, '<id>'],
  [/[\w.+-]+@[\w.-]+/g, '<address>'],
  [/\b0x[0-9a-f]+\b/gi, '<number>'],
  [/\d+(?:\.\d+)*/g, '<number>'],
]

function fingerprintOf(head: string): string {
  const normal = VARIABLES.reduce((text, [pattern, name]) => text.replace(pattern, name), head)
  return hash('sha256', normal, 'base64url').slice(0, 16)
}
