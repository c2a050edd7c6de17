/** Roles and the permissions in them. A role shows its permissions as they were when it was last sent. */

import type { PermissionPayload, RolePayload } from '../../clerk/payloads.ts'
import { action, actionOn } from './action.ts'
import { companyName, handle } from './content.ts'
import type { Instance } from './instance.ts'

export const createPermission = action({
  weight: 3,
  run: (instance) => {
    const { random } = instance
    const identity = { object: 'permission', id: instance.newId('perm') }
    const permission = instance.add('permissions', identity, {
      key: `org:${handle(random)}:${random.pick(['read', 'manage'])}`,
      name: companyName(random),
      description: `May do what ${companyName(random)} does`,
      type: 'user',
    })
    instance.send('permission.created', permission)
  },
})

export const updatePermission = actionOn('permissions', {
  weight: 2,
  otherwise: createPermission,
  run: (instance, permission) => {
    const changes = { name: companyName(instance.random), description: companyName(instance.random) }
    instance.send('permission.updated', instance.update('permissions', permission, changes))
  },
})

export const deletePermission = actionOn('permissions', {
  weight: 1,
  otherwise: createPermission,
  run: (instance, permission) => {
    instance.tables.permissions.delete(permission)
    instance.send('permission.deleted', { object: 'permission', id: permission.id, deleted: true })
  },
})

/** The role's permissions as they are now, maybe with one more. */
function permissionsOf({ random, tables }: Instance, role?: RolePayload): PermissionPayload[] {
  const added = random.chance(0.7) ? tables.permissions.pick(random) : undefined
  const ids = new Set([...(role?.permissions ?? []), ...(added ? [added] : [])].map(({ id }) => id))
  return [...ids].flatMap((id) => tables.permissions.live.get(id) ?? [])
}

export const createRole = action({
  weight: 3,
  run: (instance) => {
    const { random } = instance
    const identity = { object: 'role', id: instance.newId('role') }
    const role = instance.add('roles', identity, {
      key: `org:${handle(random)}`,
      name: companyName(random),
      description: random.pick(['Edits posts', null]),
      is_creator_eligible: random.chance(0.5),
      permissions: permissionsOf(instance),
    })
    instance.send('role.created', role)
  },
})

export const updateRole = actionOn('roles', {
  weight: 3,
  otherwise: createRole,
  run: (instance, role) => {
    const changes = { name: companyName(instance.random), permissions: permissionsOf(instance, role) }
    instance.send('role.updated', instance.update('roles', role, changes))
  },
})

export const deleteRole = actionOn('roles', {
  weight: 1,
  otherwise: createRole,
  run: (instance, role) => {
    instance.tables.roles.delete(role)
    instance.send('role.deleted', { object: 'role', id: role.id, slug: null, deleted: true })
  },
})
