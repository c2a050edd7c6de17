/** Sessions, and the people who are not users yet: invited to the application, or on its waitlist. */

import type { InvitationPayload, SessionPayload, WaitlistEntryPayload } from '../../clerk/payloads.ts'
import { type Answer, notFound, ok, Refusal } from './answers.ts'
import { contains, equals, oneOf } from './filters.ts'
import { type Call, list } from './lists.ts'
import { sessionStatusAt, showInvitation, showSession, showWaitlistEntry, statusAt } from './shown.ts'

const SESSION_STATUSES = ['abandoned', 'active', 'ended', 'expired', 'removed', 'replaced', 'revoked']

/** Of a user or a client; there is no list of all. */
export function listSessions(call: Call): Answer {
  const { clerk, query } = call
  const userId = query.get('user_id')
  if (userId === null && !query.has('client_id')) throw missingOwner()
  return list<SessionPayload>(call, {
    rows: userId === null ? [...clerk.resources('sessions').values()] : clerk.ownedBy('sessions', userId),
    filters: {
      user_id: equals(({ user_id }) => user_id),
      client_id: equals(({ client_id }) => client_id),
      status: oneOf(SESSION_STATUSES, (session) => sessionStatusAt(clerk.now, session)),
    },
    shape: 'either',
    show: (session) => showSession(clerk, session),
  })
}

function missingOwner(): Refusal {
  const message = 'Either client_id or user_id must be included.'
  return new Refusal(422, 'form_param_missing', message, message, { param_names: ['client_id', 'user_id'] })
}

export function getSession({ clerk, ids: [id = ''] }: Call): Answer {
  const session = clerk.resources('sessions').get(id)
  if (session) return ok(showSession(clerk, session))
  throw notFound(`No session was found with id ${id}.`)
}

const INVITATION_STATUSES = ['pending', 'accepted', 'revoked', 'expired']

/** Those that were revoked come only if asked for. */
export function listInvitations(call: Call): Answer {
  const { clerk, query } = call
  const all = [...clerk.resources('invitations').values()]
  return list<InvitationPayload>(call, {
    rows: query.has('status') ? all : all.filter(({ status }) => status !== 'revoked'),
    filters: {
      status: oneOf(INVITATION_STATUSES, (invitation) => statusAt(clerk.now, invitation)),
      query: contains(({ id, email_address }) => [id, email_address]),
    },
    orders: {
      email_address: ({ email_address }) => email_address,
      expires_at: ({ expires_at }) => expires_at,
    },
    shape: 'either',
    show: (invitation) => showInvitation(clerk, invitation),
  })
}

const WAITLIST_STATUSES = ['pending', 'invited', 'completed', 'rejected']

export function listWaitlistEntries(call: Call): Answer {
  const { clerk } = call
  return list<WaitlistEntryPayload>(call, {
    rows: [...clerk.resources('waitlist_entries').values()],
    filters: {
      status: oneOf(WAITLIST_STATUSES, ({ status }) => status),
      query: contains(({ id, email_address }) => [id, email_address]),
    },
    orders: {
      email_address: ({ email_address }) => email_address,
      invited_at: ({ invitation }) => invitation?.created_at,
    },
    show: (entry) => showWaitlistEntry(clerk, entry),
  })
}
