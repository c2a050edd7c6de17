/**
 * The state of a simulated Clerk instance, and its clock.
 *
 * Resources are stored as the JSON that Clerk shows, and are replaced, never changed: what holds a copy of another
 * resource (a membership its organization, a session its user) keeps it as it was when Clerk last sent the holder.
 */

import type { ResourceName } from '../../clerk/catalogue.ts'
import type { ClerkEvent } from '../../clerk/event.ts'
import type {
  EmailPayload,
  EventPayloads,
  EventType,
  InvitationPayload,
  Milliseconds,
  OrganizationDomainPayload,
  OrganizationInvitationPayload,
  OrganizationMembershipPayload,
  OrganizationPayload,
  Payload,
  PaymentAttemptPayload,
  PermissionPayload,
  RolePayload,
  SessionPayload,
  SmsMessagePayload,
  SubscriptionItemPayload,
  SubscriptionPayload,
  UserPayload,
  WaitlistEntryPayload,
} from '../../clerk/payloads.ts'
import { ksuid } from '../ksuid.ts'
import type { Random } from '../random.ts'
import { Table } from './table.ts'

/** Resources without events. */
interface SettingPayload extends Payload {
  id: string
  created_at?: Milliseconds
  updated_at?: Milliseconds
}

/** The JSON of each kind of resource. */
export interface ResourcePayloads {
  users: UserPayload
  organizations: OrganizationPayload
  organization_memberships: OrganizationMembershipPayload
  organization_invitations: OrganizationInvitationPayload
  organization_domains: OrganizationDomainPayload
  roles: RolePayload
  permissions: PermissionPayload
  sessions: SessionPayload
  invitations: InvitationPayload
  waitlist_entries: WaitlistEntryPayload
  emails: EmailPayload
  sms_messages: SmsMessagePayload
  subscriptions: SubscriptionPayload
  subscription_items: SubscriptionItemPayload
  payment_attempts: PaymentAttemptPayload
  statements: SettingPayload
  plans: SettingPayload
  prices: SettingPayload
  credit_balances: SettingPayload
  role_sets: SettingPayload
  enterprise_connections: SettingPayload
  directories: SettingPayload
  directory_group_role_mappings: SettingPayload
  oauth_applications: SettingPayload
  machines: SettingPayload
  m2m_tokens: SettingPayload
  api_keys: SettingPayload
  trusted_devices: SettingPayload
  allowlist_identifiers: SettingPayload
  blocklist_identifiers: SettingPayload
}

type Tables = { readonly [Name in ResourceName]: Table<ResourcePayloads[Name]> }

/** The longest that Clerk takes between two steps of one action. */
const STEP_MS = 25

export class Instance {
  readonly random: Random
  readonly id: string
  readonly tables: Tables
  #now: Milliseconds
  #outbox: ClerkEvent[] = []

  constructor(random: Random, startAt: Milliseconds, id?: string) {
    this.random = random
    this.#now = startAt
    this.id = id ?? this.newId('ins')
    this.tables = createTables()
  }

  get now(): Milliseconds {
    return this.#now
  }

  /** Lets time pass: at least a millisecond, so that no two states of a resource share one. */
  tick(longest = STEP_MS): Milliseconds {
    this.#now += this.random.integer(1, longest)
    return this.#now
  }

  advanceTo(time: Milliseconds): void {
    this.#now = Math.max(this.#now, time)
  }

  newId(prefix: string): string {
    return `${prefix}_${ksuid(this.#now, this.random.bytes(16))}`
  }

  /** Stores a resource that comes into being now. */
  add<Name extends ResourceName>(
    name: Name,
    identity: { object?: string; id: string },
    fields: Partial<ResourcePayloads[Name]>,
  ): ResourcePayloads[Name] {
    const clocks = { created_at: this.tick(), updated_at: this.tick() }
    return this.tables[name].put({ ...identity, ...clocks, ...fields } as ResourcePayloads[Name])
  }

  /** Stores a resource that changes now. */
  update<Name extends ResourceName>(
    name: Name,
    resource: ResourcePayloads[Name],
    changes: Partial<ResourcePayloads[Name]>,
  ): ResourcePayloads[Name] {
    return this.tables[name].put({ ...resource, ...changes, updated_at: this.tick() })
  }

  /** The live resources of a table that belong to another, oldest first. */
  ownedBy<Name extends ResourceName>(table: Name, ownerId: string): readonly ResourcePayloads[Name][] {
    return this.tables[table].ownedBy(ownerId)
  }

  /** Sends an event. Its time is later than that of what it shows, as in payloads that people received. */
  send<Type extends EventType>(type: Type, data: EventPayloads[Type], at = this.tick()): void {
    this.#outbox.push({
      object: 'event',
      type,
      timestamp: at,
      instance_id: this.id,
      event_attributes: { http_request: this.random.pick(HTTP_REQUESTS) },
      data: structuredClone(data),
    } as ClerkEvent)
  }

  /** The events since the last call. */
  takeEvents(): ClerkEvent[] {
    const events = this.#outbox
    this.#outbox = []
    return events
  }
}

/** Changes through the Backend API come without an address. */
const HTTP_REQUESTS = [
  { client_ip: '203.0.113.7', user_agent: 'Mozilla/5.0 (Macintosh) Chrome/141.0' },
  { client_ip: '2001:db8::7', user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X)' },
  { client_ip: '', user_agent: 'clerk/clerk-sdk-go@v2.3.1' },
]

function createTables(): Tables {
  return {
    users: new Table(),
    organizations: new Table(),
    organization_memberships: new Table((membership) => [organizationIdOf(membership), userIdOf(membership)]),
    organization_invitations: new Table((invitation) => [String(invitation.organization_id)]),
    organization_domains: new Table((domain) => [String(domain.organization_id)]),
    roles: new Table(),
    permissions: new Table(),
    sessions: new Table((session) => [String(session.user_id)]),
    invitations: new Table(),
    waitlist_entries: new Table(),
    emails: new Table(),
    sms_messages: new Table(),
    subscriptions: new Table(({ payer }) => [String(payer?.user_id || payer?.organization_id)]),
    subscription_items: new Table((item) => [String(item.subscription_id)]),
    payment_attempts: new Table(),
    statements: new Table(),
    plans: new Table(),
    prices: new Table(),
    credit_balances: new Table(),
    role_sets: new Table(),
    enterprise_connections: new Table(),
    directories: new Table(),
    directory_group_role_mappings: new Table(({ directory_id }) => [String(directory_id)]),
    oauth_applications: new Table(),
    machines: new Table(),
    m2m_tokens: new Table(({ subject }) => [String(subject)]),
    api_keys: new Table(({ subject }) => [String(subject)]),
    trusted_devices: new Table(({ user_id }) => [String(user_id)]),
    allowlist_identifiers: new Table(),
    blocklist_identifiers: new Table(),
  }
}

export function organizationIdOf({ organization }: OrganizationMembershipPayload): string {
  return String(organization?.id)
}

export function userIdOf({ public_user_data }: OrganizationMembershipPayload): string {
  return String(public_user_data?.user_id)
}
