/** The suites that need a Postgres of their own. */

import { describe, inject } from 'vitest'

/** Runs the suite if a Postgres is installed; else it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithInstalledPostgres(title: string, suite: (binaries: string) => void): void {
  const binaries = inject('postgresBinaries')
  if (binaries === null) describe.skip(`${title} (needs an installed Postgres)`, () => suite(''))
  else describe(title, () => suite(binaries))
}
