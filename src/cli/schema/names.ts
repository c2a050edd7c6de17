/** Names of tables and columns in the manner of other languages. */

import type { RelationDefinition } from './definitions.ts'

/** `primary_email_address` → `primaryEmailAddress` */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `organization_memberships` → `organization_membership` */
export function toSingular(table: string): string {
  if (table.endsWith('ies')) return `${table.slice(0, -3)}y`
  return table.endsWith('sses') ? table.slice(0, -2) : table.slice(0, -1)
}

/** `organization_memberships` → `OrganizationMembership` */
export function toModelName(table: string): string {
  return toCamelCase(`_${toSingular(table)}`)
}

/** The field that leads from a row to the one it names: `payer_user_id` → `payerUser` */
export function toOneField(column: string): string {
  return toCamelCase(column.replace(/_id$/, ''))
}

/** The field that leads back: `sessions`, `subscriptionsByPayerUser` */
export function toManyField({ table, column, target }: RelationDefinition): string {
  const isPlain = column === `${toSingular(target)}_id`
  return toCamelCase(isPlain ? table : `${table}_by_${column.replace(/_id$/, '')}`)
}
