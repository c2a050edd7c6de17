/** The signed-in user of the dashboard, and their role. */

import type { Role } from './api.ts'

export interface Principal {
  /** For the audit log: an address, a user's id, … */
  readonly name: string
  readonly role: Role
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/** Whether a role includes another. */
export function reaches(role: Role, needed: Role): boolean {
  return RANKS[role] >= RANKS[needed]
}

export function isRole(value: unknown): value is Role {
  return typeof value === 'string' && Object.hasOwn(RANKS, value)
}
