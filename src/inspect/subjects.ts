/** Human-readable names of resources: from their own rows, or from the user or organization that they belong to. */

import { CATALOGUE, RESOURCES } from '../clerk/catalogue.ts'
import { quoteIdentifier } from '../database/identifier.ts'
import { maskText, maskValue } from './masking.ts'
import type { Subject } from './model.ts'
import type { Reading } from './reading.ts'

/** The columns that name a resource, best first, and whether they hold personal data. */
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
    organization_invitations: [['email_address', true]],
    organization_domains: [['name', false]],
    roles: [['name', false]],
    permissions: [['name', false]],
    invitations: [['email_address', true]],
    waitlist_entries: [['email_address', true]],
    emails: [['to_email_address', true]],
    sms_messages: [['to_phone_number', true]],
  }

/** The columns that lead to the person and to the organization a row belongs to. */
const OWNERS = {
  users: ['user_id', 'payer_user_id'],
  organizations: ['organization_id', 'payer_organization_id'],
} as const

const FULL_NAME = (alias: string) => `nullif(concat_ws(' ', ${alias}.first_name, ${alias}.last_name), '')`

/** The SQL of the name that a row itself has, as `label`. */
export function labelOf(resource: string, alias: string): string {
  const known = (NAMES[resource] ?? []).filter(([column]) => column in columnsOf(resource))
  const names = known.map(([column]) => `${alias}.${quoteIdentifier(column)}`)
  return `coalesce(${[...names, 'null::text'].join(', ')}) as label`
}

/** The SQL of all names that a row goes by: its own, a person's full name, its owners'. */
export function namesOf(reading: Reading, resource: string, alias: string): string {
  const fullName = resource === 'users' ? FULL_NAME(alias) : 'null::text'
  return [
    labelOf(resource, alias),
    `${fullName} as full_name`,
    `${ownerOf(reading, resource, 'users', alias)} as person`,
    `${ownerOf(reading, resource, 'organizations', alias)} as organization`,
  ].join(', ')
}

function ownerOf(reading: Reading, resource: string, owner: keyof typeof OWNERS, alias: string): string {
  const column = OWNERS[owner].find((each) => each in columnsOf(resource))
  if (column === undefined) return 'null::text'
  return `(select ${labelOf(owner, 'owner')} from ${reading.table(owner)} as owner
    where owner.id = ${alias}.${quoteIdentifier(column)})`
}

function columnsOf(resource: string): object {
  return (CATALOGUE as Readonly<Record<string, { columns: object }>>)[resource]?.columns ?? {}
}

/** What {@link namesOf} selects. */
export interface NamedRow {
  readonly label: string | null
  readonly full_name: string | null
  readonly person: string | null
  readonly organization: string | null
}

/** The best name of a row, and a second one that tells more. */
export function showNames(
  resource: string,
  row: NamedRow,
  isMasked: boolean,
): Pick<Subject, 'label' | 'detail'> {
  const personal = (text: string | null) => (text !== null && isMasked ? maskValue(text) : text)
  const names = [
    showLabel(resource, row.label, isMasked),
    personal(row.full_name),
    personal(row.person),
    row.organization,
  ]
  const [label = null, detail = null] = new Set(names.filter((name) => name !== null))
  return { label, detail }
}

/** A row's own name, as it may be shown. */
export function showLabel(resource: string, label: string | null, isMasked: boolean): string | null {
  if (label === null || !isMasked) return label
  const isPersonal = NAMES[resource]?.some(([, personal]) => personal)
  return isPersonal ? maskValue(label) : maskText(label)
}

export interface Reference {
  readonly resource: string | null
  readonly resource_id: string | null
}

const NAMELESS = { label: null, detail: null }

/** Finds the names of the resources of events, with one query per table. */
export async function findSubjects(
  reading: Reading,
  references: readonly Reference[],
  isMasked: boolean,
): Promise<(reference: Reference) => Subject | null> {
  const names = new Map<string, Pick<Subject, 'label' | 'detail'>>()
  const byTable = Map.groupBy(references, ({ resource }) => resource)
  for (const [resource, members] of byTable) {
    if (resource === null || !RESOURCES.has(resource)) continue
    const ids = [...new Set(members.flatMap(({ resource_id }) => resource_id ?? []))]
    const rows = await reading.query<NamedRow & { id: string }>(
      `select row.id, ${namesOf(reading, resource, 'row')} from ${reading.table(resource)} as row where row.id = any($1::text[])`,
      [ids],
    )
    for (const row of rows) names.set(`${resource} ${row.id}`, showNames(resource, row, isMasked))
  }
  return ({ resource, resource_id: id }) => {
    if (resource === null || id === null) return null
    return { resource, id, ...(names.get(`${resource} ${id}`) ?? NAMELESS) }
  }
}
