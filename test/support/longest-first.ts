/** In which order test files begin. */

import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** More than a minute and a half each, although some are short. */
const LONGEST = [
  'browser/dashboard.system.ts',
  'cli/init-handlers.system.ts',
  'server/crash.system.ts',
  'cli/doctor.system.ts',
  'chaos/run.system.ts',
  'backfill/kill.system.ts',
  'ingest/convergence.test.ts',
]

/** Where Vitest remembers no run, it begins with the largest files. A long test in a small one would run alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)))
  }
}

function isLong({ moduleId }: TestSpecification): boolean {
  return LONGEST.some((name) => moduleId.endsWith(`test/${name}`))
}
