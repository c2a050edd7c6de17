/** How memberships begin and end. */

import type {
  Milliseconds,
  OrganizationMembershipPayload,
  OrganizationPayload,
  UserPayload,
} from '../../clerk/payloads.ts'
import { metadata } from './content.ts'
import { partialOrganization, publicUser } from './excerpts.ts'
import { type Instance, userIdOf } from './instance.ts'

/** The roles that every instance has; they come with no events. */
export const SYSTEM_ROLES = [
  { key: 'org:admin', name: 'Admin', permissions: ['org:sys_profile:manage', 'org:sys_memberships:manage'] },
  { key: 'org:member', name: 'Member', permissions: ['org:sys_memberships:read'] },
]

/** How a membership or an invitation names a role. */
export function roleFields(instance: Instance, key = anyRoleKey(instance)) {
  const role = SYSTEM_ROLES.find((system) => system.key === key) ?? customRole(instance, key)
  return { role: key, role_name: role.name, permissions: role.permissions }
}

/** An invitation may name a role that has been deleted since. */
function customRole({ tables }: Instance, key: string) {
  const role = [...tables.roles.live.values()].find((custom) => custom.key === key)
  const permissions = (role?.permissions ?? []).map((permission) => String(permission.key))
  return { name: role?.name ?? key, permissions }
}

function anyRoleKey({ random, tables }: Instance): string {
  const custom = random.chance(0.3) ? tables.roles.pick(random)?.key : undefined
  return custom ?? random.pick(SYSTEM_ROLES).key
}

export function join(
  instance: Instance,
  organization: OrganizationPayload,
  user: UserPayload,
  roleKey?: string,
): void {
  const identity = { object: 'organization_membership', id: instance.newId('orgmem') }
  const membership = instance.add('organization_memberships', identity, {
    ...roleFields(instance, roleKey),
    public_metadata: metadata(instance.random),
    private_metadata: metadata(instance.random),
    organization: partialOrganization(instance, organization),
    public_user_data: publicUser(user),
  })
  instance.send('organizationMembership.created', membership)
}

/**
 * The deleted membership is shown whole, with the `updated_at` of its last change: only the event's time dates the
 * deletion.
 */
export function leave(instance: Instance, membership: OrganizationMembershipPayload): void {
  instance.tables.organization_memberships.delete(membership)
  instance.send('organizationMembership.deleted', membership)
}

/**
 * Sends the events for the deletion of a user or an organization. Clerk does not document whether it also sends one per
 * membership, so sometimes it does here, before or after, all with the same time.
 */
export function sendMembershipsDeleted(
  instance: Instance,
  memberships: readonly OrganizationMembershipPayload[],
  sendOwnerDeleted: (at: Milliseconds) => void,
): void {
  const at = instance.tick()
  const order = instance.random.pick(['without', 'before', 'after'])
  const sendAll = () => {
    for (const membership of memberships) instance.send('organizationMembership.deleted', membership, at)
  }
  if (order === 'before') sendAll()
  sendOwnerDeleted(at)
  if (order === 'after') sendAll()
}

export function isMember({ tables }: Instance, user: UserPayload, organizationId: string): boolean {
  const members = tables.organization_memberships.ownedBy(organizationId)
  return members.some((membership) => userIdOf(membership) === user.id)
}
