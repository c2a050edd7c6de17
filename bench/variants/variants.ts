/** All variants, in the order in which they take turns. */

import { handWritten } from './hand-written.ts'
import { limit } from './limit.ts'
import { ours } from './ours.ts'
import { single } from './single.ts'
import { stripeSyncEngine } from './stripe-sync-engine.ts'
import type { Variant } from './variant.ts'

export const VARIANTS = {
  limit,
  ours,
  single,
  'hand-written': handWritten,
  stripe: stripeSyncEngine,
} as const satisfies Record<string, Variant>

export type VariantName = keyof typeof VARIANTS

export function variantOf(name: string): Variant {
  const variant = (VARIANTS as Readonly<Record<string, Variant>>)[name]
  if (variant) return variant
  throw new Error(`there is no variant "${name}"; there are ${Object.keys(VARIANTS).join(', ')}`)
}
