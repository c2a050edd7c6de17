/** What the project's middleware does to webhooks, as far as its source tells. */

import { examineProtection, howToAsk, howToOpen } from '../init/protection.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { Project } from './project.ts'

export function middlewareCheck(project: Project): Check {
  return { group: 'project', name: 'middleware', run: async () => inspect(project) }
}

function inspect(project: Project): Result[] {
  const protection = examineProtection(project)
  if (protection === undefined) return []
  const { place, path, verdict } = protection
  if (verdict === 'public') return [passed(`${place} lets webhooks through.`)]
  return verdict === 'protected'
    ? [found('middleware_protects', place, howToOpen(path))]
    : [found('middleware_unclear', place, howToAsk(path))]
}
