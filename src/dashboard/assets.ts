/** The files of the browser app. The build replaces this module; without it there are none, and the page says so. */

import type { Asset } from './asset.ts'

export const ASSETS: ReadonlyMap<string, Asset> = new Map()
