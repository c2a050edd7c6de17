/**
 * Every field that Clerk documents for a webhook's payload, in its OpenAPI or its TypeScript types, by the kind of
 * column that holds it. Written by hand from those sources, not from the catalogue: that is what it is compared with.
 */

/** Names of fields, separated by spaces. `raw` ones have no column of their own. */
export interface Fields {
  readonly text?: string
  readonly boolean?: string
  readonly integer?: string
  readonly time?: string
  readonly json?: string
  readonly raw?: string
}

export const RESOURCE_FIELDS = {
  users: {
    text: `external_id primary_email_address_id primary_phone_number_id primary_web3_wallet_id username first_name
      last_name locale profile_image_url image_url timezone`,
    boolean: `has_image password_enabled two_factor_enabled totp_enabled backup_code_enabled banned locked deprovisioned
      delete_self_enabled create_organization_enabled bypass_client_trust`,
    integer: 'lockout_expires_in_seconds verification_attempts_remaining create_organizations_limit',
    time: `mfa_enabled_at mfa_disabled_at password_last_updated_at last_sign_in_at last_active_at legal_accepted_at`,
    json: 'public_metadata private_metadata unsafe_metadata scim',
    raw: 'object organization_memberships',
  },
  sessions: {
    text: 'user_id client_id status last_active_organization_id',
    time: 'last_active_at expire_at abandon_at',
    json: 'actor latest_activity tasks',
    raw: 'object user',
  },
  organizations: {
    text: 'name slug image_url created_by role_set_key',
    boolean: 'has_image missing_member_with_elevated_permissions admin_delete_enabled',
    integer: 'members_count pending_invitations_count max_allowed_memberships',
    time: 'last_active_at',
    json: 'public_metadata private_metadata',
    raw: 'object',
  },
  organization_memberships: {
    text: 'role role_name',
    json: 'permissions public_metadata private_metadata public_user_data',
    raw: 'object organization',
  },
  organization_invitations: {
    text: 'email_address role role_name organization_id inviter_id status user_id',
    time: 'expires_at',
    json: 'public_inviter_data public_organization_data public_metadata private_metadata',
    raw: 'object data',
  },
  organization_domains: {
    text: 'organization_id name enrollment_mode affiliation_email_address',
    integer: 'total_pending_invitations total_pending_suggestions',
    json: 'affiliation_verification ownership_verification verification public_organization_data',
    raw: 'object',
  },
  roles: {
    text: 'name key description',
    boolean: 'is_creator_eligible',
    json: 'permissions',
    raw: 'object',
  },
  permissions: { text: 'name key description type', raw: 'object' },
  waitlist_entries: { text: 'email_address status', boolean: 'is_locked', raw: 'object invitation' },
  emails: {
    text: `slug from_email_name reply_to_email_name to_email_address email_address_id user_id subject body body_plain
      status suppression_reason`,
    boolean: 'delivered_by_clerk',
    json: 'data',
    raw: 'object',
  },
  sms_messages: {
    text: 'slug from_phone_number to_phone_number phone_number_id user_id message status',
    boolean: 'delivered_by_clerk',
    json: 'data',
    raw: 'object',
  },
  subscriptions: {
    text: 'status latest_payment_id payer_id payment_source_id',
    boolean: 'eligible_for_free_trial',
    time: 'active_at canceled_at ended_at past_due_at',
    json: 'payer next_payment',
    raw: 'object items',
  },
  subscription_items: {
    text: 'status plan_id price_id subscription_id plan_period',
    boolean: 'is_free_trial',
    time: 'period_start period_end canceled_at past_due_at next_payment_date',
    json: 'plan payer seats payment_method totals credits discount',
    // `interval` is another name of `plan_period`.
    raw: `object credit proration_date lifetime_paid next_payment next_payment_amount amount`,
  },
  payment_attempts: {
    text: 'payment_id invoice_id statement_id gateway_external_id status charge_type subscription_item_id',
    time: 'paid_at failed_at billing_date',
    json: 'failed_reason payee payer totals payment_source subscription_items',
    raw: 'object instance_id',
  },
} as const satisfies Record<string, Fields>

/** Resources that come inside others: the table, by the field that holds them. */
export const INVITATION_FIELDS: Fields = {
  text: 'email_address status',
  boolean: 'revoked',
  time: 'expires_at',
  json: 'public_metadata',
  raw: 'object',
}

/** The sets inside a user. */
export const CHILD_FIELDS = {
  email_addresses: {
    text: 'email_address',
    boolean: 'reserved matches_sso_connection',
    json: 'verification linked_to',
    raw: 'object',
  },
  phone_numbers: {
    text: 'phone_number',
    boolean: 'reserved_for_second_factor default_second_factor reserved',
    json: 'verification linked_to',
    raw: 'object',
  },
  web3_wallets: { text: 'web3_wallet', json: 'verification', raw: 'object' },
  passkeys: { text: 'name', time: 'last_used_at', json: 'verification', raw: 'object' },
  external_accounts: {
    text: `provider identification_id provider_user_id approved_scopes email_address first_name last_name avatar_url
      image_url username phone_number label external_account_id`,
    boolean: 'email_address_verified',
    json: 'public_metadata verification',
    raw: 'object',
  },
  saml_accounts: {
    text: 'provider email_address first_name last_name provider_user_id',
    boolean: 'active',
    time: 'last_authenticated_at',
    json: 'public_metadata verification saml_connection',
    raw: 'object',
  },
  enterprise_accounts: {
    text: 'protocol provider email_address first_name last_name provider_user_id enterprise_connection_id',
    boolean: 'active',
    time: 'last_authenticated_at',
    json: 'public_metadata verification enterprise_connection',
    raw: 'object',
  },
} as const satisfies Record<string, Fields>

interface Sample {
  /** A payload with a value of the right kind for every field. */
  readonly payload: Record<string, unknown>
  /** What the columns must hold. */
  readonly row: Record<string, unknown>
}

const T = 1_800_000_000_000

const KINDS: Readonly<Record<keyof Fields, (field: string, index: number) => unknown>> = {
  text: (field) => `some ${field}`,
  boolean: () => true,
  integer: (_, index) => 7 + index,
  time: (_, index) => T + index,
  json: (field) => ({ [field]: [1, 'two', null] }),
  raw: (field) => ({ about: field }),
}

/** Fills every field. */
export function sampleOf(fields: Fields): Sample {
  const payload: Record<string, unknown> = { created_at: T - 2, updated_at: T - 1 }
  const row: Record<string, unknown> = {
    clerk_created_at: new Date(T - 2),
    clerk_updated_at: new Date(T - 1),
  }
  for (const [kind, names] of Object.entries(fields) as [keyof Fields, string][]) {
    for (const [index, field] of names.split(/\s+/).entries()) {
      const value = KINDS[kind](field, index)
      payload[field] = value
      if (kind !== 'raw') row[field] = kind === 'time' ? new Date(value as number) : value
    }
  }
  return { payload, row }
}
