/** Which event types a handler can be for, and what to use instead of those that Clerk does not send. */

import { closest } from '../closest.ts'
import { EVENT_TYPES } from './catalogue.ts'

const PATTERNS: ReadonlySet<string> = new Set([
  '*',
  ...EVENT_TYPES,
  ...EVENT_TYPES.map((type) => `${type.split('.', 1)[0]}.*`),
])

const USER_FIELD = 'use user.updated and look at `changes`'
const BY_LIST = 'Clerk sends no events for it; `clerk-sync reconcile` finds changes'
const PAYMENT = 'use paymentAttempt.updated and look at `event.data.status`'

/** Types that people expect, or whole kinds of them, and what tells the same. */
const EXPECTED: Readonly<Record<string, string>> = {
  'user.banned': `${USER_FIELD}.banned`,
  'user.unbanned': `${USER_FIELD}.banned`,
  'user.locked': `${USER_FIELD}.locked`,
  'user.unlocked': `${USER_FIELD}.locked`,
  'user.signedUp': 'use user.created',
  'user.signedIn': 'use session.created',
  'user.login': 'use session.created',
  'user.signedOut': 'use session.ended and session.removed',
  'user.logout': 'use session.ended and session.removed',
  'emailAddress.*': `${USER_FIELD}.email_addresses`,
  'phoneNumber.*': `${USER_FIELD}.phone_numbers`,
  'externalAccount.*': `${USER_FIELD}.external_accounts`,
  'passkey.*': `${USER_FIELD}.passkeys`,
  'web3Wallet.*': `${USER_FIELD}.web3_wallets`,
  'session.expired': 'Clerk sends nothing when a session expires; `clerk-sync reconcile` sets its status',
  'session.updated':
    'use session.created, session.pending, session.ended, session.removed and session.revoked',
  'session.deleted': 'use session.ended, session.removed and session.revoked',
  'organizationInvitation.expired':
    'Clerk sends nothing when an invitation expires; compare `expires_at` of organization_invitations with now',
  'organizationInvitation.updated': 'use organizationInvitation.accepted and organizationInvitation.revoked',
  'organizationInvitation.deleted': 'use organizationInvitation.revoked',
  'organizationInvitation.rejected': 'use organizationInvitation.revoked',
  'invitation.accepted': 'use user.created; Clerk sends no events for invitations to the application',
  'invitation.*': BY_LIST,
  'waitlistEntry.deleted': BY_LIST,
  'waitlistEntry.invited': 'use waitlistEntry.updated and look at `changes.status`',
  'waitlistEntry.approved': 'use waitlistEntry.updated and look at `changes.status`',
  'waitlistEntry.rejected': 'use waitlistEntry.updated and look at `changes.status`',
  'email.sent': 'use email.created',
  'email.updated': 'use email.created',
  'sms.sent': 'use sms.created',
  'subscription.canceled': 'use subscriptionItem.canceled',
  'subscription.ended': 'use subscriptionItem.ended',
  'subscription.deleted': 'use subscriptionItem.ended',
  'subscription.freeTrialEnding': 'use subscriptionItem.freeTrialEnding',
  'subscriptionItem.expired': 'use subscriptionItem.ended',
  'subscriptionItem.deleted': 'use subscriptionItem.ended',
  'paymentAttempt.succeeded': PAYMENT,
  'paymentAttempt.failed': PAYMENT,
  'payment.*': PAYMENT,
  'invoice.*': PAYMENT,
}

/** Whether an event type is one of those that patterns mean; `*` stands for any characters. */
export function isFor(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => pattern === type || (pattern.includes('*') && isLike(pattern, type)))
}

/** Not by a regular expression: one of many stars can take forever, and patterns also come in requests. */
function isLike(pattern: string, type: string): boolean {
  const [start = '', ...parts] = pattern.split('*')
  const end = parts.pop() ?? ''
  if (!type.startsWith(start) || !type.slice(start.length).endsWith(end)) return false
  let rest = type.slice(start.length, type.length - end.length)
  return parts.every((part) => {
    const at = rest.indexOf(part)
    rest = rest.slice(at + part.length)
    return at >= 0
  })
}

/** Why Clerk never sends what a pattern means, and what to use instead; undefined if it does. */
export function patternFault(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return String(pattern)
  if (PATTERNS.has(pattern)) return undefined
  const shown = JSON.stringify(pattern.slice(0, 100))
  const advice = EXPECTED[camelCase(pattern)] ?? EXPECTED[`${camelCase(pattern).split('.', 1)[0]}.*`]
  if (advice) return `${shown}; ${advice}`
  const nearest = PATTERNS.has(`${pattern}.*`) ? `${pattern}.*` : closest(pattern, [...PATTERNS])
  return nearest === undefined ? shown : `${shown}; the nearest is ${nearest}`
}

/** `user.signed_in` is as likely as `user.signedIn`. */
function camelCase(pattern: string): string {
  return pattern.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
