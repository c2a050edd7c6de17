/** Events: lists, details, and what can be done about one. */

import { ClerkSyncError } from '../errors.ts'
import { getEventDetail } from '../inspect/event-detail.ts'
import { countEventItems, listEventItems } from '../inspect/event-list.ts'
import { getRun } from '../inspect/runs.ts'
import type { EventDetail, EventOutcome, HandlerRun } from './api.ts'
import { ask, browse, type Call, type Endpoints, nameIn } from './context.ts'
import { exportEvents } from './event-export.ts'
import { eventFilterOf, pageOf } from './request.ts'

export const EVENT_ROUTES: Endpoints<
  | 'GET events'
  | 'GET events/count'
  | 'GET events/export'
  | 'GET events/{id}'
  | 'POST events/{id}/reveal'
  | 'POST events/{id}/replay'
  | 'POST events/{id}/runs/{handler}/retry'
  | 'POST events/{id}/runs/{handler}/discard'
> = {
  'GET events': [
    'viewer',
    (call) =>
      browse(call, (reading) =>
        listEventItems(reading, eventFilterOf(call.query), pageOf(call.query), call.isMasking),
      ),
  ],
  'GET events/count': [
    'viewer',
    (call) => browse(call, (reading) => countEventItems(reading, eventFilterOf(call.query))),
  ],
  'GET events/export': ['viewer', exportEvents],
  'GET events/{id}': ['viewer', (call) => detail(call, call.isMasking)],
  'POST events/{id}/reveal': [
    'operator',
    (call) => record(call, { action: 'reveal' }, () => detail(call, false)),
  ],
  'POST events/{id}/replay': [
    'operator',
    (call) =>
      record(
        call,
        { action: 'replay' },
        () => replay(call),
        ({ outcome }) => outcome !== 'failed',
      ),
  ],
  'POST events/{id}/runs/{handler}/retry': ['operator', retry],
  'POST events/{id}/runs/{handler}/discard': ['admin', discard],
}

function detail(call: Call, isMasked: boolean): Promise<EventDetail> {
  return ask(call, (reading) => getEventDetail(reading, nameIn(call, 'id'), isMasked))
}

async function replay(call: Call): Promise<{ outcome: EventOutcome }> {
  const id = nameIn(call, 'id')
  const { matched, withoutBody } = await call.sync.replay({ ids: [id] })
  if (matched === 0) throw new ClerkSyncError('event_not_found', id)
  if (withoutBody > 0) throw new ClerkSyncError('body_gone', id)
  const { outcome } = await detail(call, true)
  return { outcome }
}

function retry(call: Call): Promise<HandlerRun> {
  const note = call.body.text('note', 1_000)
  return record(call, { action: 'retry', reason: note }, async () => {
    const run = await currentRun(call)
    const isReopened = await call.sync.handlers.retryOne({ eventId: run.eventId, handler: run.handler }, note)
    if (!isReopened) throw new ClerkSyncError('run_busy', `${run.handler} for ${run.eventId}`)
    return currentRun(call)
  })
}

function discard(call: Call): Promise<HandlerRun> {
  const reason = call.body.required('reason', 1_000)
  return record(call, { action: 'discard', reason }, async () => {
    const { eventId, handler } = await currentRun(call)
    const filter = { eventIds: [eventId], handlers: [handler] }
    const { changed } = await call.sync.handlers.discard(filter, { note: reason })
    // A worker may have claimed it meanwhile.
    if (changed === 0) throw new ClerkSyncError('run_busy', `${handler} for ${eventId}`)
    return currentRun(call)
  })
}

function currentRun(call: Call): Promise<HandlerRun> {
  const [id, handler] = [nameIn(call, 'id'), nameIn(call, 'handler')]
  return ask(call, (reading) => getRun(reading, id, handler, call.isMasking))
}

interface EventAction {
  readonly action: string
  readonly reason?: string | undefined
}

function record<Result>(
  call: Call,
  entry: EventAction,
  work: () => Promise<Result>,
  isDone?: (result: Result) => boolean,
): Promise<Result> {
  const { id, handler } = call.names
  const target = `events/${id}${handler === undefined ? '' : `/runs/${handler}`}`
  return call.audit.record(call.principal, { ...entry, target }, work, isDone)
}
