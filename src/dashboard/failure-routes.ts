/** What goes wrong: failing handlers, and requests that were no deliveries. */

import { ClerkSyncError } from '../errors.ts'
import { listRuns, readFailureGroups } from '../inspect/failures.ts'
import { readHandlers } from '../inspect/handlers.ts'
import type { Reading } from '../inspect/reading.ts'
import { readRejectedGroups } from '../inspect/refusals.ts'
import { readResolvedGroups } from '../inspect/resolved-failures.ts'
import type { AnswerOf, Done, HandlerSummary } from './api.ts'
import type { NewAuditEntry } from './audit.ts'
import { ask, browse, type Call, type Endpoints, nameIn } from './context.ts'
import { invalid, pageOf, runFilterOf } from './request.ts'

const REJECTED_DAYS = 7
const MAX_RELEASE_LENGTH = 100
/** A failure should be fixed or discarded within a week. */
const MAX_MUTED_HOURS = 7 * 24

export const FAILURE_ROUTES: Endpoints<
  | 'GET failures'
  | 'GET failures/runs'
  | 'POST failures/mute'
  | 'POST failures/unmute'
  | 'GET handlers'
  | 'POST handlers/{handler}/pause'
  | 'POST handlers/{handler}/resume'
  | 'GET rejected'
  | 'POST releases'
> = {
  'GET failures': ['viewer', (call) => browse(call, (reading) => failures(reading, call.isMasking))],
  'GET failures/runs': [
    'viewer',
    (call) => {
      const filter = runFilterOf(call.query)
      return browse(call, (reading) => listRuns(reading, filter, pageOf(call.query), call.isMasking))
    },
  ],
  'POST failures/mute': ['operator', mute],
  'POST failures/unmute': ['operator', unmute],
  'GET handlers': ['viewer', async (call) => ({ handlers: await summaries(call) })],
  'POST handlers/{handler}/pause': [
    'operator',
    (call) => {
      const reason = call.body.required('reason', 1_000)
      return change(call, 'pause', reason, (name) => call.sync.handlers.pause(name, reason))
    },
  ],
  'POST handlers/{handler}/resume': [
    'operator',
    (call) => change(call, 'resume', undefined, (name) => call.sync.handlers.resume(name)),
  ],
  'POST releases': ['operator', release],
  'GET rejected': [
    'viewer',
    async (call) => ({
      groups: await browse(call, (reading) => readRejectedGroups(reading, REJECTED_DAYS)),
      since: new Date(Date.now() - REJECTED_DAYS * 86_400_000).toISOString(),
    }),
  ],
}

async function failures(reading: Reading, isMasked: boolean): Promise<AnswerOf<'GET failures'>> {
  const groups = await readFailureGroups(reading, isMasked)
  return { groups, resolved: await readResolvedGroups(reading, groups, isMasked) }
}

async function release(call: Call): Promise<Done> {
  const name = call.body.required('release', MAX_RELEASE_LENGTH)
  await call.audit.record(call.principal, { action: 'release', target: `releases/${name}` }, () =>
    call.sync.database
      .insertInto('releases')
      .values({ release: name })
      .onConflict((conflict) => conflict.column('release').doNothing())
      .execute(),
  )
  return { done: true }
}

async function mute(call: Call): Promise<Done> {
  const group = groupOf(call)
  const hours = call.body.number('hours', MAX_MUTED_HOURS)
  if (hours === undefined) throw invalid('hours is missing')
  const reason = call.body.text('reason', 1_000)
  const until = new Date(Date.now() + hours * 3_600_000)
  return noted(call, { action: 'mute', reason, details: { ...group, until } }, async () => {
    await call.sync.database
      .insertInto('failure_mutes')
      .values({ ...group, until })
      .onConflict((conflict) => conflict.columns(['handler', 'fingerprint']).doUpdateSet({ until }))
      .execute()
  })
}

function unmute(call: Call): Promise<Done> {
  const group = groupOf(call)
  return noted(call, { action: 'unmute', details: group }, async () => {
    await call.sync.database
      .deleteFrom('failure_mutes')
      .where('handler', '=', group.handler)
      .where('fingerprint', '=', group.fingerprint)
      .execute()
  })
}

function groupOf({ body }: Call) {
  return { handler: body.required('handler'), fingerprint: body.required('fingerprint') }
}

async function noted(call: Call, entry: NewAuditEntry, work: () => Promise<void>): Promise<Done> {
  const target = `handlers/${call.body.required('handler')}`
  await call.audit.record(call.principal, { ...entry, target }, work)
  return { done: true }
}

async function summaries(call: Call): Promise<HandlerSummary[]> {
  const known = await call.sync.handlers.list()
  return ask(call, (reading) => readHandlers(reading, known))
}

function change(
  call: Call,
  action: string,
  reason: string | undefined,
  work: (handler: string) => Promise<void>,
): Promise<HandlerSummary> {
  const name = nameIn(call, 'handler')
  return call.audit.record(call.principal, { action, target: `handlers/${name}`, reason }, async () => {
    await work(name)
    const summary = (await summaries(call)).find((handler) => handler.name === name)
    if (summary === undefined) throw new ClerkSyncError('handler_unknown', name)
    return summary
  })
}
