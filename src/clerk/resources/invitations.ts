import type { Metadata } from '../payloads.ts'
import { boolean, defineResource, json, text, time } from '../resource.ts'
import { secretField } from '../secrets.ts'

export const invitationSecrets = secretField('url')

/** Clerk sends no events for these; they come inside waitlist entries. */
export const invitations = defineResource({
  table: 'invitations',
  description: 'Invitations to the application. The ticket URL is not kept.',
  events: {},
  columns: {
    email_address: text(),
    status: text(),
    revoked: boolean(),
    expires_at: time(),
    public_metadata: json<Metadata>(),
  },
  indexes: ['email_address'],
  secrets: invitationSecrets,
})
