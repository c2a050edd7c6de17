/** One event in full: its content, its outcome and why. */

import { findEvent } from '../clerk/catalogue.ts'
import { parseExact } from '../clerk/exact-json.ts'
import type { EventPosition } from '../database/event-parts.ts'
import { ClerkSyncError } from '../errors.ts'
import { causeOf } from './cause.ts'
import { listEventItems, readItems } from './event-list.ts'
import { maskJson, maskText } from './masking.ts'
import type { Body, EventDetail, EventItem, FieldChange, HandlerRun } from './model.ts'
import { type Reading, toTime } from './reading.ts'
import { runsOfEvent } from './runs.ts'
import { type EventFacts, timelineOf } from './timeline.ts'

const RELATED = 20

type StoredFacts = Omit<EventFacts, 'body' | 'changes'> & EventPosition

/** @throws {ClerkSyncError} `event_not_found` */
export async function getEventDetail(reading: Reading, id: string, isMasked: boolean): Promise<EventDetail> {
  const [item] = await readItems(reading, [id], isMasked)
  const [stored] = await reading.query<StoredFacts>(
    `select id, received_at, instance_id, error, last_delivered_at, body_conflict, replayed_at, redacted,
       encode(body_sha256, 'hex') as sha256
     from ${reading.table('events')} where id = $1`,
    [id],
  )
  if (item === undefined || stored === undefined) throw new ClerkSyncError('event_not_found', id)
  const facts: EventFacts = {
    ...stored,
    body: (await reading.parts('event_bodies', [stored])).get(id) ?? null,
    changes: (await reading.parts('event_changes', [stored])).get(id) ?? null,
  }
  const runs = await runsOfEvent(reading, id, isMasked)
  return {
    ...item,
    sentence: sentenceOf(item, runs),
    instanceId: facts.instance_id,
    error: facts.error && (isMasked ? maskText(facts.error) : facts.error),
    lastDeliveredAt: toTime(facts.last_delivered_at),
    hasBodyConflict: facts.body_conflict,
    replayedAt: toTime(facts.replayed_at),
    timeline: timelineOf(item, facts, runs),
    changes: changesOf(facts, isMasked),
    body: bodyOf(
      facts,
      isMasked,
      facts.body ? null : await reading.forgottenAt('event_bodies', stored.received_at),
    ),
    // The ledger keeps what was signed; headers are not part of that.
    headers: null,
    handlerRuns: runs,
    related: await relatedTo(reading, item, isMasked),
    triggerCommand: item.type && findEvent(item.type) ? `clerk-sync trigger ${item.type}` : null,
  }
}

async function relatedTo(reading: Reading, item: EventItem, isMasked: boolean): Promise<EventItem[]> {
  if (item.subject === null) return []
  const filter = { resourceIds: [item.subject.id] }
  const { items } = await listEventItems(reading, filter, { limit: RELATED + 1 }, isMasked)
  return items.filter(({ id }) => id !== item.id).slice(0, RELATED)
}

function changesOf({ changes }: EventFacts, isMasked: boolean): FieldChange[] {
  return Object.entries(changes ?? {}).map(([field, { from, to }]) => ({
    field,
    from: isMasked ? maskJson(from, field) : from,
    to: isMasked ? maskJson(to, field) : to,
  }))
}

function bodyOf({ body, sha256, redacted }: EventFacts, isMasked: boolean, forgottenAt: Date | null): Body {
  const text = body && Buffer.from(body).toString()
  const json = text === null ? undefined : parse(text)
  const isJson = json !== undefined
  const masked = isJson ? JSON.stringify(maskJson(json)) : text && maskText(text)
  return {
    text: isMasked ? masked : text,
    bytes: body?.byteLength ?? null,
    forgottenAt: toTime(forgottenAt),
    sha256,
    isMasked: isMasked && text !== null,
    isRedacted: redacted,
    isJson,
  }
}

function parse(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    return undefined
  }
}

const OUTCOMES: Readonly<Record<EventItem['outcome'], string>> = {
  applied: 'Row saved.',
  stale: 'The row is newer and was kept.',
  ignored: 'Recorded but not applied.',
  parked: 'Recorded but not usable.',
  failed: 'The database rejected it. Fix the cause, then replay it.',
}

/** Its outcome and its worst handler. */
function sentenceOf({ outcome, reason }: EventItem, runs: readonly HandlerRun[]): string {
  const because = outcome !== 'applied' && outcome !== 'stale' && reason ? `${capitalize(reason.text)}.` : ''
  const failing = runs.find(({ state }) => state === 'dead') ?? runs.find(({ state }) => state === 'retrying')
  return [OUTCOMES[outcome], because, failing && failureSentence(failing)].filter(Boolean).join(' ')
}

function failureSentence({ handler, attempts, error, state }: HandlerRun): string {
  const times = attempts === 1 ? 'once' : `${attempts} times`
  const end = state === 'dead' ? ' and exhausted its retries' : ''
  return `Handler ${handler} failed ${times}${end}: ${causeOf(error)}.`
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
