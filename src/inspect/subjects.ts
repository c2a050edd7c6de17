/** Names resources for people: by what their rows say of them. */

import { CATALOGUE, RESOURCES } from '../clerk/catalogue.ts'
import { quoteIdentifier } from '../database/identifier.ts'
import { maskText, maskValue } from './masking.ts'
import type { Subject } from './model.ts'
import type { Reading } from './reading.ts'

/** The columns that name a resource, best first, and whether what they hold is personal. */
const NAMES: Readonly<Partial<Record<string, readonly (readonly [column: string, isPersonal: boolean])[]>>> =
  {
    users: [
      ['primary_email_address', true],
      ['username', true],
      ['first_name', true],
    ],
    organizations: [
      ['name', false],
      ['slug', false],
    ],
    organization_memberships: [['role', false]],
    organization_invitations: [['email_address', true]],
    organization_domains: [['name', false]],
    roles: [['name', false]],
    permissions: [['name', false]],
    sessions: [['status', false]],
    invitations: [['email_address', true]],
    waitlist_entries: [['email_address', true]],
    emails: [['to_email_address', true]],
    sms_messages: [['to_phone_number', true]],
    subscriptions: [['status', false]],
    subscription_items: [['status', false]],
    payment_attempts: [['status', false]],
  }

/** The SQL that names a row of a table, as `label`. */
export function labelOf(resource: string, alias: string): string {
  const columns = (CATALOGUE as Readonly<Record<string, { columns: object }>>)[resource]?.columns ?? {}
  const known = (NAMES[resource] ?? []).filter(([column]) => column in columns)
  const names = known.map(([column]) => `${alias}.${quoteIdentifier(column)}`)
  return `coalesce(${[...names, 'null::text'].join(', ')}) as label`
}

/** The same, as it may be shown. */
export function showLabel(resource: string, label: string | null, isMasked: boolean): string | null {
  if (label === null || !isMasked) return label
  const isPersonal = NAMES[resource]?.some(([, personal]) => personal)
  return isPersonal ? maskValue(label) : maskText(label)
}

export interface Reference {
  readonly resource: string | null
  readonly resource_id: string | null
}

/** Finds the names of what events are about, with one query for each table. */
export async function findSubjects(
  reading: Reading,
  references: readonly Reference[],
  isMasked: boolean,
): Promise<(reference: Reference) => Subject | null> {
  const labels = new Map<string, string | null>()
  const byTable = Map.groupBy(references, ({ resource }) => resource)
  for (const [resource, members] of byTable) {
    if (resource === null || !RESOURCES.has(resource)) continue
    const ids = [...new Set(members.flatMap(({ resource_id }) => resource_id ?? []))]
    const rows = await reading.query<{ id: string; label: string | null }>(
      `select id, ${labelOf(resource, 'row')} from ${reading.table(resource)} as row where id = any($1::text[])`,
      [ids],
    )
    for (const { id, label } of rows) labels.set(`${resource} ${id}`, label)
  }
  return ({ resource, resource_id: id }) => {
    if (resource === null || id === null) return null
    const label = labels.get(`${resource} ${id}`) ?? null
    return { resource, id, label: showLabel(resource, label, isMasked) }
  }
}
