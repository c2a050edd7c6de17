/** The argument that names resources. */

import { Argument, InvalidArgumentError } from 'commander'
import { RESOURCES, type ResourceName } from '../clerk/catalogue.ts'
import { closest } from '../closest.ts'

const LISTED = [...RESOURCES.values()].filter(({ api }) => api !== undefined).map(({ table }) => table)

/** Any of the resources that Clerk lists. */
export function resourceArgument(): Argument {
  return new Argument('[resources...]', LISTED.join(', ')).argParser(parseResource)
}

function parseResource(text: string, earlier: readonly ResourceName[] | undefined): ResourceName[] {
  const name = text.replaceAll('-', '_').toLowerCase()
  if (LISTED.includes(name)) return [...(earlier ?? []), name as ResourceName]
  const meant = closest(name, LISTED)
  throw new InvalidArgumentError(meant ? `Did you mean ${meant}?` : `Clerk lists: ${LISTED.join(', ')}.`)
}
