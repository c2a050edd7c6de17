/** What people let happen in a simulated Clerk to see how the tables and their handlers take it. */

import type { ClerkEvent } from '../../index.ts'
import type { SimulatedClerk, SimulatedSvixOptions } from '../../testing/index.ts'

interface PlayedScenario {
  readonly name: string
  readonly text: string
  /** How badly its events arrive. */
  readonly delivery: Partial<SimulatedSvixOptions>
  act(clerk: SimulatedClerk): ClerkEvent[]
}

export const SCENARIOS: readonly PlayedScenario[] = [
  {
    name: 'signups',
    text: '50 people sign up',
    delivery: {},
    act: (clerk) => repeat(50, () => clerk.act('createUser')),
  },
  {
    name: 'team',
    text: 'A team of 5 comes together and is deleted',
    delivery: {},
    act: actTeam,
  },
  {
    name: 'duplicates',
    text: '20 changes, each delivered twice',
    delivery: { duplicates: 1 },
    act: (clerk) => repeat(20, () => clerk.act('updateUser')),
  },
  {
    name: 'disorder',
    text: '20 changes of one user, newer ones first',
    delivery: { reorder: 0.5 },
    act: actOnOne,
  },
  {
    name: 'forgeries',
    text: '10 changes, each with a forged copy before it',
    delivery: { forgeries: 1 },
    act: (clerk) => repeat(10, () => clerk.act('updateUser')),
  },
]

function actTeam(clerk: SimulatedClerk): ClerkEvent[] {
  const created = clerk.act('createOrganization')
  const id = created.find(({ type }) => type === 'organization.created')?.data.id as string
  return [...created, ...repeat(5, () => clerk.act('addMember', id)), ...clerk.act('deleteOrganization', id)]
}

function actOnOne(clerk: SimulatedClerk): ClerkEvent[] {
  const created = clerk.act('createUser')
  const id = created[0]?.data.id as string
  return [...created, ...repeat(20, () => clerk.act('updateUser', id))]
}

function repeat(times: number, act: () => ClerkEvent[]): ClerkEvent[] {
  return Array.from({ length: times }, act).flat()
}
