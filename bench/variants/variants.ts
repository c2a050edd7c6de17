/** All variants, in the order in which they take turns. */

import { baseline } from './baseline.ts'
import { handWritten } from './hand-written.ts'
import { limit } from './limit.ts'
import { ours } from './ours.ts'
import { stripeSyncEngine } from './stripe-sync-engine.ts'
import type { Variant } from './variant.ts'

export const VARIANTS = {
  limit,
  ours,
  baseline,
  'hand-written': handWritten,
  stripe: stripeSyncEngine,
} as const satisfies Record<string, Variant>

export type VariantName = keyof typeof VARIANTS

export function variantOf(name: string): Variant {
  const variant = (VARIANTS as Readonly<Record<string, Variant>>)[name]
  if (variant) return variant
  throw new Error(`there is no variant "${name}"; there are ${Object.keys(VARIANTS).join(', ')}`)
}

/** The variants that were asked for; by default `among`, and the baseline if there is one. */
export function chosenVariants(
  {
    variants,
    baseline,
  }: { readonly variants: readonly string[] | undefined; readonly baseline: string | undefined },
  among: readonly VariantName[] = Object.keys(VARIANTS) as VariantName[],
): VariantName[] {
  const names = new Set(variants ?? among)
  for (const name of names) variantOf(name)
  if (baseline === undefined) names.delete('baseline')
  else names.add('baseline')
  return (Object.keys(VARIANTS) as VariantName[]).filter((name) => names.has(name))
}
