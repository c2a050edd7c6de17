/** Roles and permissions: the instance's own, and the built-in ones, for which Clerk sends no events. */

import { createHash } from 'node:crypto'
import type { PermissionPayload, RolePayload } from '../../clerk/payloads.ts'
import { ksuid } from '../ksuid.ts'
import { SYSTEM_ROLES } from '../simulated-clerk/memberships.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, notFound, ok } from './answers.ts'
import { contains, type Filters } from './filters.ts'
import { type Call, type List, list } from './lists.ts'
import { showRole } from './shown.ts'

export function listRoles(call: Call): Answer {
  return list<RolePayload>(call, { rows: rolesOf(call.clerk), filters: FILTERS, orders: ORDERS })
}

export function getRole({ clerk, ids: [id = ''] }: Call): Answer {
  const role = rolesOf(clerk).find((each) => each.id === id)
  if (role) return ok(role)
  throw notFound(`No organization role was found with id ${id}.`)
}

export function listPermissions(call: Call): Answer {
  return list<PermissionPayload>(call, { rows: permissionsOf(call.clerk), filters: FILTERS, orders: ORDERS })
}

export function getPermission({ clerk, ids: [id = ''] }: Call): Answer {
  const permission = permissionsOf(clerk).find((each) => each.id === id)
  if (permission) return ok(permission)
  throw notFound(`No organization permission was found with id ${id}.`)
}

const FILTERS: Filters<RolePayload | PermissionPayload> = {
  query: (values, name) => {
    const isNamed = contains<RolePayload | PermissionPayload>((each) => [each.name, each.key])(values, name)
    return (each) => each.id === values[0] || isNamed(each)
  },
}

const ORDERS: NonNullable<List<RolePayload | PermissionPayload>['orders']> = {
  name: ({ name }) => name,
  key: ({ key }) => key,
}

export function rolesOf(clerk: SimulatedClerk): RolePayload[] {
  const own = [...clerk.resources('roles').values()].map((role) => showRole(clerk, role))
  return [...SYSTEM_ROLES.map((role) => systemRole(clerk, role)), ...own]
}

export function permissionsOf(clerk: SimulatedClerk): PermissionPayload[] {
  const keys = new Set(SYSTEM_ROLES.flatMap(({ permissions }) => permissions))
  const system = [...keys].map((key) => systemPermission(clerk, key))
  return [...system, ...clerk.resources('permissions').values()]
}

function systemRole(
  clerk: SimulatedClerk,
  { key, name, permissions }: (typeof SYSTEM_ROLES)[number],
): RolePayload {
  return {
    ...standard(clerk, 'role', key),
    name,
    description: null,
    is_creator_eligible: key === 'org:admin',
    permissions: permissions.map((each) => systemPermission(clerk, each)),
  }
}

function systemPermission(clerk: SimulatedClerk, key: string): PermissionPayload {
  const [, subject = '', verb = ''] = key.split(':')
  const name = `${verb === 'manage' ? 'Manage' : 'Read'} ${subject.replace('sys_', '')}`
  return { ...standard(clerk, 'permission', key), name, description: name, type: 'system' }
}

/** When Clerk introduced them, long before any instance that is simulated. */
const INTRODUCED = 1_700_000_000_000

function standard<Kind extends 'role' | 'permission'>(
  { instanceId }: SimulatedClerk,
  object: Kind,
  key: string,
) {
  const digest = createHash('sha256').update(`${instanceId} ${key}`).digest().subarray(0, 16)
  const id = `${object === 'role' ? 'role' : 'perm'}_${ksuid(INTRODUCED, digest)}`
  return { object, id, key, created_at: INTRODUCED, updated_at: INTRODUCED }
}
