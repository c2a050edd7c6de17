/**
 * A simulated Clerk: a model of an instance that acts at random or on request, and returns the events that Clerk would
 * send.
 *
 * What the model holds is what the tables must show once all its events were delivered, in whatever order and how
 * often.
 */

import type { ResourceName } from '../clerk/catalogue.ts'
import type { ClerkEvent } from '../clerk/event.ts'
import type { Milliseconds } from '../clerk/payloads.ts'
import { Random } from './random.ts'
import { ACTIONS } from './simulated-clerk/actions.ts'
import { Instance, type ResourcePayloads } from './simulated-clerk/instance.ts'

/** The name of something that can happen in a simulated Clerk, e.g. `createUser`. */
export type SimulatedAction = keyof typeof ACTIONS

export interface SimulatedClerkOptions {
  /**
   * The same seed and the same calls give the same events, byte for byte.
   * @default 1
   */
  seed?: number | undefined
  /**
   * The id of the instance, `ins_…`.
   * @default one that follows from the seed
   */
  instanceId?: string | undefined
  /**
   * Where its clock begins, in milliseconds since 1970.
   * @default noon of 1 January 2026, UTC
   */
  startAt?: Milliseconds | undefined
  /**
   * The longest that nothing happens between two actions, in milliseconds: less makes a busier instance.
   * @default 5000
   */
  maxPauseMs?: Milliseconds | undefined
}

/** A simulated Clerk instance. */
export interface SimulatedClerk {
  readonly instanceId: string

  /** Its clock, in milliseconds since 1970. Each action takes some milliseconds to seconds. */
  readonly now: Milliseconds

  /**
   * Lets something happen and returns the events that Clerk sends for it, yours to change.
   *
   * What an action needs and does not find is brought about first, with its events: `act('endSession')` in an empty
   * instance creates a user, signs in and signs out.
   *
   * @example
   * const [created] = clerk.act('createUser')
   * const events = clerk.act('deleteUser', created?.data.id)
   *
   * @param action default: anything, with the odds of a busy application
   * @param id what to do it to: the user to delete, the organization that somebody joins; default: any that suits
   * @throws {ClerkSyncError} `option_invalid` if there is no such resource or it is not in a state for the action
   */
  act(action?: SimulatedAction, id?: string): ClerkEvent[]

  /** Moves the clock forward, e.g. to let sessions and invitations expire. Clerk sends nothing for those. */
  advanceTo(time: Milliseconds): void

  /** The live resources of a table by id, oldest first, as the JSON that Clerk shows. Not yours to change. */
  resources<Name extends ResourceName>(table: Name): ReadonlyMap<string, ResourcePayloads[Name]>

  /** Those of a table's live resources that belong to a user, an organization or a subscription, oldest first. */
  ownedBy<Name extends ResourceName>(table: Name, ownerId: string): readonly ResourcePayloads[Name][]

  /** The ids of deleted resources, including those deleted with their user or organization. */
  deletedIds(table: ResourceName): ReadonlySet<string>
}

const NOON_OF_1_JANUARY_2026 = 1_767_268_800_000

const MAX_PAUSE_MS = 5_000

const WEIGHTED_ACTIONS = Object.values(ACTIONS)

/** What can happen in a simulated Clerk. */
export const SIMULATED_ACTIONS = Object.keys(ACTIONS) as readonly SimulatedAction[]

/**
 * Actions without an event, performed only on request: the Backend API alone shows them. Sessions and invitations that
 * expire are such too; see {@link SimulatedClerk.advanceTo}.
 */
export const SILENT_ACTIONS = SIMULATED_ACTIONS.filter((name) => ACTIONS[name].weight === 0)

/**
 * Creates a simulated Clerk instance without any resources.
 *
 * @example
 * const clerk = createSimulatedClerk({ seed: 7 })
 * for (let i = 0; i < 100; i++) svix.send(clerk.act())
 * await svix.settled()
 * const differences = await compareTables(sync.database, clerk)
 */
export function createSimulatedClerk(options: SimulatedClerkOptions = {}): SimulatedClerk {
  const { seed = 1, instanceId, startAt = NOON_OF_1_JANUARY_2026, maxPauseMs = MAX_PAUSE_MS } = options
  const instance = new Instance(new Random(seed), startAt, instanceId)
  return {
    instanceId: instance.id,
    get now() {
      return instance.now
    },
    act(name, id) {
      const action = name === undefined ? instance.random.pickWeighted(WEIGHTED_ACTIONS) : ACTIONS[name]
      instance.tick(maxPauseMs)
      action.perform(instance, id)
      return instance.takeEvents()
    },
    advanceTo: (time) => instance.advanceTo(time),
    resources: (table) => instance.tables[table].live,
    ownedBy: (table, ownerId) => instance.ownedBy(table, ownerId),
    deletedIds: (table) => instance.tables[table].deleted,
  }
}
