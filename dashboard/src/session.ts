/** The signed-in user and their role. */

import { call, type Features, type Problem, problemOf, type Role, type Session } from './api.ts'
import { Store } from './store.ts'

/** Undefined until the server has answered, and when nobody is signed in. */
export const session = new Store<Session | undefined>(undefined)

/** Why there is no session. */
export const sessionProblem = new Store<Problem | undefined>(undefined)

/** Loads the session. */
export async function openSession(): Promise<void> {
  try {
    session.set(await call('GET session', {}))
    sessionProblem.set(undefined)
  } catch (error) {
    sessionProblem.set(problemOf(error))
  }
}

/** Signs in with the token; throws if it is refused. */
export async function signIn(token: string): Promise<void> {
  session.set(await call('POST session', { body: { token } }))
  sessionProblem.set(undefined)
}

export async function signOut(): Promise<void> {
  await call('DELETE session', {})
  // Drops all loaded data from memory.
  location.reload()
}

/** The server asked to sign in. */
export function signedOut(problem: Problem): void {
  session.set(undefined)
  sessionProblem.set(problem)
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/** Whether the user has this role; actions without permission are hidden. */
export function may(role: Exclude<Role, 'viewer'>): boolean {
  const { value } = session
  return value !== undefined && !value.isReadOnly && RANK[value.role] >= RANK[role]
}

export function has(feature: keyof Features): boolean {
  return session.value?.features[feature] ?? false
}
