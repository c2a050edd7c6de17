/** Names of tables and columns in the manner of other languages. */

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
