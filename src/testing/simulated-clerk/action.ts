/** What can happen in a Clerk instance. */

import type { ResourceName } from '../../clerk/catalogue.ts'
import { ClerkSyncError } from '../../errors.ts'
import type { Instance, ResourcePayloads } from './instance.ts'

export interface Action {
  /** How often it happens, compared with the others. */
  readonly weight: number
  /** @param id what it is done to; absent: anything suitable, which is brought about first if there is none */
  perform(instance: Instance, id?: string): void
}

interface Definition {
  readonly weight: number
  readonly run: (instance: Instance) => void
}

interface DefinitionOn<Resource> {
  readonly weight: number
  /** What it can be done to. Default: any. */
  readonly suits?: (resource: Resource, instance: Instance) => boolean
  /** What brings about something suitable. */
  readonly otherwise: Action
  readonly run: (instance: Instance, resource: Resource) => void
}

/** An action that needs nothing to exist. */
export function action({ weight, run }: Definition): Action {
  const perform = (instance: Instance, id?: string) => {
    if (id !== undefined) throw impossible(id, 'because it makes something new')
    run(instance)
  }
  return { weight, perform }
}

/** An action on a resource. */
export function actionOn<Name extends ResourceName>(
  name: Name,
  { weight, suits = () => true, otherwise, run }: DefinitionOn<ResourcePayloads[Name]>,
): Action {
  type Resource = ResourcePayloads[Name]
  const isSuitable = (instance: Instance) => (resource: Resource) => suits(resource, instance)

  const pick = (instance: Instance): Resource => {
    const picked = instance.tables[name].pick(instance.random, isSuitable(instance))
    if (picked) return picked
    otherwise.perform(instance)
    return instance.tables[name].pick(instance.random, isSuitable(instance)) as Resource
  }

  const find = (instance: Instance, id: string): Resource => {
    const found = instance.tables[name].live.get(id)
    if (found && suits(found, instance)) return found
    throw impossible(id, found ? 'which is not in a state for it' : 'which does not exist')
  }

  return {
    weight,
    perform: (instance, id) => run(instance, id === undefined ? pick(instance) : find(instance, id)),
  }
}

function impossible(id: string, why: string): ClerkSyncError {
  return new ClerkSyncError('option_invalid', `the simulated Clerk cannot do this to ${id}, ${why}`)
}
