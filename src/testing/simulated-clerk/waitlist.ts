/** The waitlist, and the invitations to the application that come of it: Clerk sends no events of their own for those. */

import type { InvitationPayload, WaitlistEntryPayload } from '../../clerk/payloads.ts'
import { action, actionOn } from './action.ts'
import { address, metadata } from './content.ts'
import type { Instance } from './instance.ts'
import { signUpWith } from './users.ts'

export const joinWaitlist = action({
  weight: 4,
  run: (instance) => {
    const identity = { object: 'waitlist_entry', id: instance.newId('wle') }
    const entry = instance.add('waitlist_entries', identity, {
      email_address: address(instance.random),
      status: 'pending',
      is_locked: false,
      invitation: null,
    })
    instance.send('waitlistEntry.created', entry)
  },
})

export function invite(instance: Instance, email_address: string): InvitationPayload {
  const { random } = instance
  const identity = { object: 'invitation', id: instance.newId('inv') }
  return instance.add('invitations', identity, {
    email_address,
    public_metadata: metadata(random),
    revoked: false,
    status: 'pending',
    url: `https://example.accounts.dev/sign-up?__clerk_ticket=${random.digits(32)}`,
    expires_at: random.pick([null, instance.now + 2_592_000_000]),
  })
}

function change(
  instance: Instance,
  entry: WaitlistEntryPayload,
  changes: Partial<WaitlistEntryPayload>,
): void {
  instance.send('waitlistEntry.updated', instance.update('waitlist_entries', entry, changes))
}

function hasStatus(status: string) {
  return (entry: WaitlistEntryPayload) => entry.status === status
}

export const inviteFromWaitlist = actionOn('waitlist_entries', {
  weight: 3,
  suits: hasStatus('pending'),
  otherwise: joinWaitlist,
  run: (instance, entry) => {
    const invitation = invite(instance, String(entry.email_address))
    change(instance, entry, { status: 'invited', is_locked: true, invitation })
  },
})

export const rejectFromWaitlist = actionOn('waitlist_entries', {
  weight: 1,
  suits: hasStatus('pending'),
  otherwise: joinWaitlist,
  run: (instance, entry) => change(instance, entry, { status: 'rejected' }),
})

/** The invited person signs up. */
export const completeWaitlistEntry = actionOn('waitlist_entries', {
  weight: 2,
  suits: hasStatus('invited'),
  otherwise: inviteFromWaitlist,
  run: (instance, entry) => {
    signUpWith(instance, String(entry.email_address))
    const invited = instance.tables.invitations.live.get(String(entry.invitation?.id)) as InvitationPayload
    const invitation = instance.update('invitations', invited, { status: 'accepted' })
    change(instance, entry, { status: 'completed', invitation })
  },
})

/** The invitation is withdrawn, and the entry shows it. */
export const revokeWaitlistInvitation = actionOn('waitlist_entries', {
  weight: 1,
  suits: hasStatus('invited'),
  otherwise: inviteFromWaitlist,
  run: (instance, entry) => {
    const invited = instance.tables.invitations.live.get(String(entry.invitation?.id)) as InvitationPayload
    const invitation = instance.update('invitations', invited, { status: 'revoked', revoked: true })
    change(instance, entry, { status: 'rejected', invitation })
  },
})
