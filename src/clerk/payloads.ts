/**
 * What Clerk's webhooks really carry, as types: every field that Clerk documents.
 *
 * Clerk's own types and its OpenAPI disagree with each other and with received payloads, so a field here is
 * optional unless both require it, and a name or status is text, because Clerk adds values. A value that `@clerk/backend`
 * describes fits without a cast; the other way round does `toWebhookEvent` of `clerk-sync/clerk-backend`. Names are
 * Clerk's; fields that are not listed do not compile, and are in the row's `raw`.
 */

import type {
  PaymentAttemptPayload,
  SubscriptionItemPayload,
  SubscriptionPayload,
} from './billing-payloads.ts'
import type { Identified, Metadata, Milliseconds, Part, Payload, Resource } from './payload-parts.ts'

export type * from './billing-payloads.ts'
export type { Metadata, Milliseconds, Payload } from './payload-parts.ts'

export type VerificationPayload = {
  id?: string
  object?: string
  status?: string
  strategy?: string
  attempts?: number | null
  expire_at?: Milliseconds | null
  channel?: string | null
  verified_at?: Milliseconds | null
  verified_at_client?: string | null
  external_verification_redirect_url?: string | null
  nonce?: string | null
  message?: string | null
}

export type EmailAddressPayload = Part & {
  object: 'email_address'
  email_address: string
  reserved?: boolean
  verification: VerificationPayload | null
  linked_to: { type: string; id: string }[]
  matches_sso_connection?: boolean
}

export type PhoneNumberPayload = Part & {
  object: 'phone_number'
  phone_number: string
  reserved_for_second_factor?: boolean
  default_second_factor?: boolean
  reserved: boolean
  verification: VerificationPayload | null
  linked_to: { type: string; id: string }[]
  backup_codes?: string[] | null
}

export type Web3WalletPayload = Part & {
  object: 'web3_wallet'
  web3_wallet: string
  verification: VerificationPayload | null
}

export type PasskeyPayload = Identified & {
  name?: string
  last_used_at?: Milliseconds
  verification?: VerificationPayload | null
}

export type ExternalAccountPayload = Part & {
  provider: string
  identification_id: string
  external_account_id?: string
  provider_user_id: string
  approved_scopes: string
  email_address: string
  email_address_verified?: boolean | null
  first_name: string
  last_name: string
  avatar_url?: string
  image_url?: string | null
  username?: string | null
  phone_number?: string | null
  public_metadata?: Metadata | null
  label?: string | null
  verification: VerificationPayload | null
}

/** What Clerk shows of an identity provider inside a user. */
export type AccountConnectionPayload = Part & {
  protocol?: string
  provider: string
  name: string
  logo_public_url?: string | null
  domain?: string
  domains?: string[]
  active: boolean
  sync_user_attributes: boolean
  allow_subdomains?: boolean
  allow_idp_initiated?: boolean
  disable_additional_identifications?: boolean
}

export type SamlAccountPayload = Identified & {
  provider?: string
  active?: boolean
  email_address?: string
  first_name?: string | null
  last_name?: string | null
  provider_user_id?: string | null
  last_authenticated_at?: Milliseconds | null
  public_metadata?: Metadata | null
  verification?: VerificationPayload | null
  saml_connection?: AccountConnectionPayload | null
}

export type EnterpriseAccountPayload = Identified & {
  object: 'enterprise_account'
  protocol?: string
  provider: string
  active: boolean
  email_address: string
  first_name?: string | null
  last_name?: string | null
  provider_user_id?: string | null
  enterprise_connection_id?: string | null
  public_metadata?: Metadata
  verification: VerificationPayload | null
  enterprise_connection?: AccountConnectionPayload | null
  last_authenticated_at?: Milliseconds | null
}

export type UserPayload = Resource & {
  object: 'user'
  external_id: string | null
  primary_email_address_id: string | null
  primary_phone_number_id: string | null
  primary_web3_wallet_id: string | null
  username: string | null
  first_name: string | null
  last_name: string | null
  locale?: string | null
  profile_image_url?: string
  image_url?: string
  has_image: boolean
  public_metadata: Metadata
  private_metadata?: Metadata | null
  unsafe_metadata?: Metadata
  email_addresses: EmailAddressPayload[]
  phone_numbers: PhoneNumberPayload[]
  web3_wallets: Web3WalletPayload[]
  passkeys?: PasskeyPayload[]
  external_accounts: ExternalAccountPayload[]
  saml_accounts?: SamlAccountPayload[]
  enterprise_accounts?: EnterpriseAccountPayload[]
  password_enabled: boolean
  two_factor_enabled: boolean
  totp_enabled: boolean
  backup_code_enabled: boolean
  mfa_enabled_at?: Milliseconds | null
  mfa_disabled_at?: Milliseconds | null
  password_last_updated_at?: Milliseconds | null
  last_sign_in_at: Milliseconds | null
  last_active_at: Milliseconds | null
  banned: boolean
  locked: boolean
  deprovisioned?: boolean
  lockout_expires_in_seconds: number | null
  verification_attempts_remaining: number | null
  delete_self_enabled: boolean
  create_organization_enabled: boolean
  create_organizations_limit?: number | null
  legal_accepted_at: Milliseconds | null
  bypass_client_trust?: boolean
  scim?: { directory_id: string; directory_enabled?: boolean; external_id: string | null } | null
  timezone?: string | null
}

/** What most `*.deleted` events carry. There is no time in it: the envelope's `timestamp` is the only clock. */
export type DeletedPayload = {
  id: string
  object: string
  deleted: boolean
  slug?: string
  external_id?: string
}

/** What Clerk's documents agree on: its types give it the whole role, its OpenAPI a {@link DeletedPayload}. */
export type DeletedRolePayload = Identified & {
  deleted?: boolean
  slug?: string | null
}

/** The device and the place that a session was last seen at. */
export type SessionActivityPayload = {
  id: string
  object: string
  device_type?: string
  is_mobile: boolean
  browser_name?: string
  browser_version?: string
  ip_address?: string
  city?: string
  country?: string
}

export type SessionPayload = Resource & {
  object: 'session'
  user_id: string
  client_id: string
  actor?: Payload | null
  status: string
  last_active_organization_id?: string | null
  last_active_at: Milliseconds
  latest_activity?: SessionActivityPayload | null
  expire_at: Milliseconds
  abandon_at: Milliseconds
  user?: UserPayload | null
}

export type OrganizationPayload = Resource & {
  object: 'organization'
  name: string
  slug: string
  image_url?: string
  has_image: boolean
  members_count?: number
  missing_member_with_elevated_permissions?: boolean
  pending_invitations_count?: number
  max_allowed_memberships: number
  admin_delete_enabled: boolean
  public_metadata: Metadata | null
  private_metadata?: Metadata
  created_by?: string
  last_active_at?: Milliseconds
  role_set_key?: string | null
}

/** What Clerk shows of an organization to people outside of it. */
export type PublicOrganizationPayload = {
  id: string
  object?: string
  name: string
  slug: string
  image_url?: string
  has_image: boolean
}

export type PublicUserPayload = {
  profile_image_url?: string | null
  user_id?: string
  identifier?: string | null
  first_name?: string | null
  last_name?: string | null
  image_url?: string
  has_image?: boolean
  username?: string | null
  banned?: boolean
  deprovisioned?: boolean
}

export type OrganizationMembershipPayload = Resource & {
  object: 'organization_membership'
  role: string
  role_name?: string
  permissions: string[]
  public_metadata: Metadata
  private_metadata?: Metadata
  /** Partial: it lacks `private_metadata` and `created_by`. */
  organization: OrganizationPayload
  public_user_data?: PublicUserPayload
}

export type OrganizationInvitationPayload = Resource & {
  email_address: string
  role: string
  role_name: string
  organization_id?: string
  inviter_id?: string | null
  public_inviter_data?: PublicUserPayload
  public_organization_data?: PublicOrganizationPayload | null
  status?: string
  public_metadata: Metadata
  private_metadata?: Metadata
  /** Holds the invitation's ticket. */
  url: string | null
  expires_at: Milliseconds | null
  /** Only in `organizationInvitation.accepted`. */
  user_id?: string
}

export type OrganizationInvitationAcceptedPayload = OrganizationInvitationPayload & { user_id: string }

export type OrganizationDomainPayload = Resource & {
  object: 'organization_domain'
  organization_id: string
  name: string
  enrollment_mode: string
  affiliation_email_address: string | null
  affiliation_verification?: VerificationPayload | null
  ownership_verification?: VerificationPayload | null
  /** An alias of `affiliation_verification`, which Clerk will remove. */
  verification?: VerificationPayload | null
  total_pending_invitations: number
  total_pending_suggestions: number
  public_organization_data?: PublicOrganizationPayload | null
}

export type PermissionPayload = Resource & {
  object: 'permission'
  key: string
  name: string
  description: string
  type?: string
}

export type RolePayload = Resource & {
  object: 'role'
  key: string
  name: string
  description: string | null
  is_creator_eligible: boolean
  permissions: PermissionPayload[]
}

export type InvitationPayload = Resource & {
  object: 'invitation'
  email_address: string
  public_metadata: Metadata | null
  revoked?: boolean
  status: string
  /** Holds the invitation's ticket. */
  url?: string
  expires_at?: Milliseconds | null
}

export type WaitlistEntryPayload = Resource & {
  email_address: string
  status: string
  is_locked?: boolean
  invitation?: InvitationPayload | null
}

export type EmailPayload = Identified & {
  slug?: string | null
  from_email_name: string
  reply_to_email_name?: string | null
  to_email_address?: string
  email_address_id?: string | null
  user_id?: string | null
  subject?: string
  body?: string
  body_plain?: string | null
  status?: string
  data?: Payload | null
  delivered_by_clerk: boolean
  suppression_reason?: string | null
}

export type SmsMessagePayload = Identified & {
  slug?: string | null
  from_phone_number: string
  to_phone_number: string
  phone_number_id?: string | null
  user_id?: string | null
  message: string
  status: string
  data?: Payload | null
  delivered_by_clerk: boolean
  created_at_ms?: Milliseconds
}

/** Every event type that Clerk is known to send, with its payload. */
export interface EventPayloads {
  'user.created': UserPayload
  'user.updated': UserPayload
  'user.deleted': DeletedPayload
  'session.created': SessionPayload
  'session.pending': SessionPayload
  'session.ended': SessionPayload
  'session.removed': SessionPayload
  'session.revoked': SessionPayload
  'organization.created': OrganizationPayload
  'organization.updated': OrganizationPayload
  'organization.deleted': DeletedPayload
  'organizationMembership.created': OrganizationMembershipPayload
  'organizationMembership.updated': OrganizationMembershipPayload
  'organizationMembership.deleted': OrganizationMembershipPayload
  'organizationInvitation.created': OrganizationInvitationPayload
  'organizationInvitation.accepted': OrganizationInvitationAcceptedPayload
  'organizationInvitation.revoked': OrganizationInvitationPayload
  'organizationDomain.created': OrganizationDomainPayload
  'organizationDomain.updated': OrganizationDomainPayload
  'organizationDomain.deleted': DeletedPayload
  'role.created': RolePayload
  'role.updated': RolePayload
  'role.deleted': DeletedRolePayload
  'permission.created': PermissionPayload
  'permission.updated': PermissionPayload
  'permission.deleted': DeletedRolePayload
  'waitlistEntry.created': WaitlistEntryPayload
  'waitlistEntry.updated': WaitlistEntryPayload
  'email.created': EmailPayload
  'sms.created': SmsMessagePayload
  'subscription.created': SubscriptionPayload
  'subscription.updated': SubscriptionPayload
  'subscription.active': SubscriptionPayload
  'subscription.pastDue': SubscriptionPayload
  'subscriptionItem.created': SubscriptionItemPayload
  'subscriptionItem.updated': SubscriptionItemPayload
  'subscriptionItem.active': SubscriptionItemPayload
  'subscriptionItem.canceled': SubscriptionItemPayload
  'subscriptionItem.upcoming': SubscriptionItemPayload
  'subscriptionItem.ended': SubscriptionItemPayload
  'subscriptionItem.abandoned': SubscriptionItemPayload
  'subscriptionItem.incomplete': SubscriptionItemPayload
  'subscriptionItem.pastDue': SubscriptionItemPayload
  'subscriptionItem.freeTrialEnding': SubscriptionItemPayload
  'paymentAttempt.created': PaymentAttemptPayload
  'paymentAttempt.updated': PaymentAttemptPayload
}

/** The name of an event that Clerk is known to send, e.g. `user.created`. */
export type EventType = keyof EventPayloads
