/** Sessions. Clerk sends nothing when one expires: it keeps the status that it was last sent with. */

import type { EventType, SessionActivityPayload, SessionPayload, UserPayload } from '../../clerk/payloads.ts'
import { type Action, actionOn } from './action.ts'
import { type Instance, organizationIdOf } from './instance.ts'
import { createUser } from './users.ts'

const DAY = 86_400_000

/** Signing in changes the user too; whether Clerk sets `updated_at` for it is not documented. */
function noteSignIn(instance: Instance, user: UserPayload): UserPayload {
  const signedIn = { ...user, last_sign_in_at: instance.now, last_active_at: instance.now }
  return instance.random.chance(0.5)
    ? instance.update('users', user, signedIn)
    : instance.tables.users.put(signedIn)
}

function startSession(instance: Instance, user: UserPayload, status: 'active' | 'pending'): SessionPayload {
  const { random, tables } = instance
  const organizations = tables.organization_memberships.ownedBy(user.id).map(organizationIdOf)
  const identity = { object: 'session', id: instance.newId('sess') }
  return instance.add('sessions', identity, {
    user_id: user.id,
    client_id: instance.newId('client'),
    actor: random.chance(0.05)
      ? { sub: instance.newId('user'), iss: 'https://example.clerk.accounts.dev' }
      : null,
    status,
    last_active_organization_id: organizations.length > 0 ? random.pick(organizations) : null,
    last_active_at: instance.now,
    latest_activity: status === 'pending' ? null : activity(instance),
    expire_at: instance.now + 7 * DAY,
    abandon_at: instance.now + 30 * DAY,
    user,
  })
}

function activity(instance: Instance): SessionActivityPayload {
  const { random } = instance
  const isMobile = random.chance(0.4)
  return {
    object: 'session_activity',
    id: instance.newId('sess_activity'),
    device_type: isMobile ? 'iPhone' : 'Macintosh',
    is_mobile: isMobile,
    browser_name: isMobile ? 'Safari' : 'Chrome',
    browser_version: String(random.integer(100, 150)),
    ip_address: `203.0.113.${random.integer(1, 254)}`,
    city: random.pick(['London', 'München', '東京', 'São Paulo']),
    country: random.pick(['GB', 'DE', 'JP', 'BR']),
  }
}

function maySignIn({ banned, locked, deprovisioned }: UserPayload): boolean {
  return !banned && !locked && !deprovisioned
}

function isOpen({ status, expire_at = 0 }: SessionPayload, { now }: Instance): boolean {
  return status === 'active' && expire_at > now
}

export const signIn = actionOn('users', {
  weight: 12,
  suits: maySignIn,
  otherwise: createUser,
  run: (instance, user) => {
    instance.send('session.created', startSession(instance, noteSignIn(instance, user), 'active'))
  },
})

/** The user has to do something first, such as choosing an organization. */
export const beginSignIn = actionOn('users', {
  weight: 2,
  suits: maySignIn,
  otherwise: createUser,
  run: (instance, user) => instance.send('session.pending', startSession(instance, user, 'pending')),
})

export const completeSignIn = actionOn('sessions', {
  weight: 2,
  suits: ({ status, expire_at = 0 }, { now }) => status === 'pending' && expire_at > now,
  otherwise: beginSignIn,
  run: (instance, session) => {
    const user = noteSignIn(instance, userOf(instance, session))
    const changes = { status: 'active', latest_activity: activity(instance), user }
    instance.send('session.created', instance.update('sessions', session, changes))
  },
})

export const endSession = closing('ended', 4)
export const removeSession = closing('removed', 2)
export const revokeSession = closing('revoked', 2)

function closing(status: 'ended' | 'removed' | 'revoked', weight: number): Action {
  return actionOn('sessions', {
    weight,
    suits: isOpen,
    otherwise: signIn,
    run: (instance, session) => {
      const changes = { status, last_active_at: instance.now, user: userOf(instance, session) }
      instance.send(`session.${status}` satisfies EventType, instance.update('sessions', session, changes))
    },
  })
}

/** A session never outlives its user. */
function userOf({ tables }: Instance, { user_id }: SessionPayload): UserPayload {
  return tables.users.live.get(String(user_id)) as UserPayload
}
