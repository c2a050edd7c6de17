/** Finds the route of a request. Paths are matched segment by segment; a `{name}` takes one, decoded. */

import type { RouteName, Routes } from './api.ts'

export type RoleNeeded = Routes[RouteName]['role']

export interface Route<Handler> {
  readonly method: string
  readonly role: RoleNeeded
  readonly handle: Handler
  readonly segments: readonly string[]
}

export interface Match<Handler> {
  readonly route: Route<Handler>
  readonly names: Readonly<Record<string, string>>
}

export class Router<Handler> {
  readonly #routes: Route<Handler>[] = []

  add(name: RouteName, role: RoleNeeded, handle: Handler): void {
    const [method = '', path = ''] = name.split(' ')
    this.#routes.push({ method, role, handle, segments: path.split('/') })
  }

  /** Undefined if the path is unknown; the allowed methods if only the method does not match. */
  find(method: string, path: string): Match<Handler> | readonly string[] | undefined {
    const segments = path.split('/').map(decode)
    const matches = this.#routes.flatMap((route) => {
      const names = namesIn(route.segments, segments)
      return names ? [{ route, names }] : []
    })
    // `events/count` is also an `events/{id}`: the exact one counts.
    const found = matches
      .filter(({ route }) => route.method === method)
      .sort((a, b) => Object.keys(a.names).length - Object.keys(b.names).length)
    if (found[0]) return found[0]
    return matches.length > 0 ? matches.map(({ route }) => route.method) : undefined
  }
}

function namesIn(
  pattern: readonly string[],
  segments: readonly (string | undefined)[],
): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined
  const names: Record<string, string> = {}
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index]
    const name = /^\{(\w+)\}$/.exec(expected)?.[1]
    if (segment === undefined || (name === undefined ? segment !== expected : segment === ''))
      return undefined
    if (name !== undefined) names[name] = segment
  }
  return names
}

/** Undefined for what is no UTF-8. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
