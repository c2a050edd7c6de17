/** What every story plays with: one browser that is signed in, one server. */

import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Stage } from './stage.ts'

export interface Scene {
  readonly stage: Stage
  readonly browser: Browser
  readonly context: BrowserContext
  /** Signed in as an admin. */
  readonly page: Page
  readonly token: string
  /** The signing secret. */
  readonly secret: string
  readonly complaints: readonly string[]
}

/** The pages that are always there. */
export const PATHS = [
  '',
  'events',
  'resources/users',
  'resources/organizations',
  'failures',
  'rejected',
  'jobs',
  'health',
  'settings',
  'simulator',
] as const
