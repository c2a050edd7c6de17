/**
 * Changes in Clerk without an event, visible only in its Backend API. They happen only on request: tables that are
 * filled by events alone could not follow.
 */

import type { InvitationPayload } from '../../clerk/payloads.ts'
import { action, actionOn } from './action.ts'
import { address } from './content.ts'
import type { Instance } from './instance.ts'
import { createUser, signUpWith } from './users.ts'
import { invite, joinWaitlist } from './waitlist.ts'

/** Somebody is invited to the application past the waitlist. */
export const createInvitation = action({
  weight: 0,
  run: (instance) => {
    invite(instance, address(instance.random))
  },
})

export const revokeInvitation = actionOn('invitations', {
  weight: 0,
  suits: isOpen,
  otherwise: createInvitation,
  run: (instance, invitation) => {
    instance.update('invitations', invitation, { status: 'revoked', revoked: true })
  },
})

/** The new user has an event, the invitation has none. */
export const acceptInvitation = actionOn('invitations', {
  weight: 0,
  suits: isOpen,
  otherwise: createInvitation,
  run: (instance, invitation) => {
    signUpWith(instance, String(invitation.email_address))
    instance.update('invitations', invitation, { status: 'accepted' })
  },
})

/** Those from the waitlist are shown by events of their entries. */
function isOpen({ id, status, expires_at }: InvitationPayload, { now, tables }: Instance): boolean {
  if (status !== 'pending' || (expires_at ?? now) < now) return false
  return ![...tables.waitlist_entries.live.values()].some(({ invitation }) => invitation?.id === id)
}

export const deleteWaitlistEntry = actionOn('waitlist_entries', {
  weight: 0,
  otherwise: joinWaitlist,
  run: (instance, entry) => instance.tables.waitlist_entries.delete(entry),
})

/** Whether Clerk sets `updated_at` for it is not documented; here it does not. */
export const noteActivity = actionOn('users', {
  weight: 0,
  otherwise: createUser,
  run: (instance, user) => {
    instance.tables.users.put({ ...user, last_active_at: instance.now })
  },
})
