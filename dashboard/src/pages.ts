/** The pages: path, name, shortcut. */

import type { IconName } from './parts/icon.tsx'
import { has, may } from './session.ts'

export interface PageEntry {
  readonly path: string
  readonly name: string
  readonly icon: IconName
  /** The second key after `g`. */
  readonly key: string
  readonly isShown?: () => boolean
}

export const PAGES: readonly PageEntry[] = [
  { path: '', name: 'Overview', icon: 'overview', key: 'o' },
  { path: 'events', name: 'Events', icon: 'events', key: 'e' },
  { path: 'resources', name: 'Resources', icon: 'resources', key: 'r' },
  { path: 'failures', name: 'Failures', icon: 'failures', key: 'f' },
  { path: 'rejected', name: 'Rejected', icon: 'rejected', key: 'd' },
  { path: 'jobs', name: 'Jobs', icon: 'jobs', key: 'b' },
  { path: 'health', name: 'Health', icon: 'health', key: 'h' },
  { path: 'settings', name: 'Settings', icon: 'settings', key: 's' },
  {
    path: 'simulator',
    name: 'Simulator',
    icon: 'simulator',
    key: 'm',
    isShown: () => has('simulator') && may('operator'),
  },
]
