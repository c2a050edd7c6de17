/** People join organizations, change their role, leave and join again. */

import type { OrganizationPayload, UserPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import { metadata } from './content.ts'
import { publicUser } from './excerpts.ts'
import { type Instance, organizationIdOf, userIdOf } from './instance.ts'
import { isMember, join, leave, roleFields } from './memberships.ts'
import { createOrganization } from './organizations.ts'
import { signUp } from './users.ts'

/** Somebody who is not in the organization yet; if all are, somebody new. */
export function stranger(instance: Instance, organizationId: string): UserPayload {
  const isStranger = (user: UserPayload) => !isMember(instance, user, organizationId)
  return instance.tables.users.pick(instance.random, isStranger) ?? signUp(instance)
}

export const addMember = actionOn('organizations', {
  weight: 9,
  otherwise: createOrganization,
  run: (instance, organization) => join(instance, organization, stranger(instance, organization.id)),
})

export const changeMember = actionOn('organization_memberships', {
  weight: 5,
  otherwise: createOrganization,
  run: (instance, membership) => {
    const { random, tables } = instance
    const user = tables.users.live.get(userIdOf(membership)) as UserPayload
    const changes = random.chance(0.6) ? roleFields(instance) : { public_metadata: metadata(random) }
    const shown = { ...changes, public_user_data: publicUser(user) }
    const changed = instance.update('organization_memberships', membership, shown)
    instance.send('organizationMembership.updated', changed)
  },
})

export const removeMember = actionOn('organization_memberships', {
  weight: 4,
  otherwise: createOrganization,
  run: leave,
})

/** Leaves and joins again: the same organization and user, another membership. */
export const rejoinOrganization = actionOn('organization_memberships', {
  weight: 2,
  otherwise: createOrganization,
  run: (instance, membership) => {
    const { organizations, users } = instance.tables
    leave(instance, membership)
    const organization = organizations.live.get(organizationIdOf(membership)) as OrganizationPayload
    join(instance, organization, users.live.get(userIdOf(membership)) as UserPayload)
  },
})
