/**
 * The lines of the log about what went on: one for each delivery, each try of a handler, and the begin and end of each job.
 * They hold ids, never what an event says; an event's lines and those of its runs have the same `eventId`.
 */

import type { Logger } from './log.ts'
import type { Fact, JobFact, Observer, RunFact } from './telemetry.ts'

/**
 * Writes facts to a log.
 * @param share of the events that get lines, from 0 to 1; what fails always does
 */
export function logFacts(log: Logger, share: number): Observer {
  return (fact: Fact) => {
    if (fact.kind === 'delivery') {
      const { kind: _, ...fields } = fact
      if (fact.outcome === 'failed' || isSampled(fact.eventId, share)) log.info(fields, 'delivery')
    } else if (fact.kind === 'run') logRun(log, fact, share)
    else if (fact.kind === 'job') logJob(log, fact)
  }
}

function logRun(log: Logger, { kind: _, ...fields }: RunFact, share: number): void {
  const { ending, eventId } = fields
  if (ending === 'dead') log.error(fields, 'handler')
  else if (ending !== 'handled') log.warn(fields, 'handler')
  else if (isSampled(eventId, share)) log.info(fields, 'handler')
}

function logJob(log: Logger, { kind: _, ...fields }: JobFact): void {
  if (fields.status === 'failed') log.warn(fields, 'job failed')
  else log.info(fields, 'job')
}

/** By the id: an event has all its lines or none, whichever process writes them. */
function isSampled(eventId: string, share: number): boolean {
  if (share >= 1) return true
  let hash = 2_166_136_261
  for (let at = 0; at < eventId.length; at++) hash = Math.imul(hash ^ eventId.charCodeAt(at), 16_777_619)
  // Ids that differ in their last letters alone would stay close together.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share
}
