/** Names of tables and columns in the manner of other languages. */

/** `primary_email_address` → `primaryEmailAddress` */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `organization_memberships` → `OrganizationMembership` */
export function toModelName(table: string): string {
  const name = toCamelCase(`_${table}`)
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`
  return name.endsWith('sses') ? name.slice(0, -2) : name.slice(0, -1)
}
