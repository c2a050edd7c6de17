/** Path patterns as Clerk and Next.js read them. Both compile them with path-to-regexp 6. */

import { pathToRegexp } from 'path-to-regexp'

/** Undefined for a pattern that is not valid: Clerk and Next.js refuse it when the app starts. */
export function matchesPattern(pattern: string | RegExp, path: string): boolean | undefined {
  try {
    return (typeof pattern === 'string' ? pathToRegexp(pattern) : pattern).test(path)
  } catch {
    return undefined
  }
}

/** An entry of `config.matcher`. Next.js compiles it strictly: a slash at the end counts. */
export function matchesSource(source: string, path: string): boolean | undefined {
  try {
    return pathToRegexp(source, [], { strict: true, sensitive: false }).test(path)
  } catch {
    return undefined
  }
}
