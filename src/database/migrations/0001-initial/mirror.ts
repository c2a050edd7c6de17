/** The mirror: one table per resource of the catalogue and per set of its members, and a view without the deleted rows. */

/**
 * `test/database/migrate.test.ts` fails when the catalogue and the migrated tables differ, and `scripts/print-ddl.ts` prints
 * what a new resource needs.
 *
 * Rows of a few kilobytes stay in their page (`toast_tuple_target`): compressing and moving every payload out of line cost
 * more than writing it.
 */
export const MIRROR = `
create table users (
  id text not null,
  external_id text,
  username text,
  first_name text,
  last_name text,
  primary_email_address text,
  primary_phone_number text,
  primary_web3_wallet text,
  primary_email_address_id text,
  primary_phone_number_id text,
  primary_web3_wallet_id text,
  image_url text,
  profile_image_url text,
  has_image boolean,
  locale text,
  timezone text,
  public_metadata jsonb,
  private_metadata jsonb,
  unsafe_metadata jsonb,
  last_sign_in_at timestamptz,
  last_active_at timestamptz,
  banned boolean,
  locked boolean,
  lockout_expires_in_seconds integer,
  verification_attempts_remaining integer,
  deprovisioned boolean,
  scim jsonb,
  password_enabled boolean,
  password_last_updated_at timestamptz,
  two_factor_enabled boolean,
  totp_enabled boolean,
  backup_code_enabled boolean,
  mfa_enabled_at timestamptz,
  mfa_disabled_at timestamptz,
  delete_self_enabled boolean,
  create_organization_enabled boolean,
  create_organizations_limit integer,
  legal_accepted_at timestamptz,
  bypass_client_trust boolean,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on users (external_id text_pattern_ops);
create index on users (username text_pattern_ops);
create index on users (primary_email_address text_pattern_ops);
create index on users (deleted_at) where deleted_at is not null and erased_at is null;

create table organizations (
  id text not null,
  name text,
  slug text,
  image_url text,
  has_image boolean,
  members_count integer,
  pending_invitations_count integer,
  missing_member_with_elevated_permissions boolean,
  max_allowed_memberships integer,
  admin_delete_enabled boolean,
  public_metadata jsonb,
  private_metadata jsonb,
  created_by text,
  role_set_key text,
  last_active_at timestamptz,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on organizations (slug text_pattern_ops);

create table organization_memberships (
  id text not null,
  organization_id text,
  user_id text,
  role text,
  role_name text,
  permissions jsonb,
  public_metadata jsonb,
  private_metadata jsonb,
  public_user_data jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on organization_memberships (organization_id, id);
create index on organization_memberships (user_id, id);

create table organization_invitations (
  id text not null,
  organization_id text,
  email_address text,
  status text,
  role text,
  role_name text,
  inviter_id text,
  user_id text,
  expires_at timestamptz,
  public_metadata jsonb,
  private_metadata jsonb,
  public_inviter_data jsonb,
  public_organization_data jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on organization_invitations (organization_id, id);
create index on organization_invitations (email_address text_pattern_ops);
create index on organization_invitations (least(expires_at)) where deleted_at is null and status in ('pending');

create table organization_domains (
  id text not null,
  organization_id text,
  name text,
  enrollment_mode text,
  affiliation_email_address text,
  total_pending_invitations integer,
  total_pending_suggestions integer,
  verification_status text,
  ownership_status text,
  verified_at timestamptz,
  verification jsonb,
  affiliation_verification jsonb,
  ownership_verification jsonb,
  public_organization_data jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on organization_domains (organization_id, id);
create index on organization_domains (name text_pattern_ops);

create table roles (
  id text not null,
  key text,
  name text,
  description text,
  is_creator_eligible boolean,
  permissions jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on roles (key text_pattern_ops);

create table permissions (
  id text not null,
  key text,
  name text,
  description text,
  type text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on permissions (key text_pattern_ops);

create table sessions (
  id text not null,
  user_id text,
  client_id text,
  status text,
  last_active_organization_id text,
  last_active_at timestamptz,
  expire_at timestamptz,
  abandon_at timestamptz,
  tasks jsonb,
  actor jsonb,
  latest_activity jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on sessions (user_id, id);
create index on sessions (least(abandon_at, expire_at)) where deleted_at is null and status in ('active', 'pending');
create index on sessions (synced_at) where deleted_at is not null or status not in ('active', 'pending');

create table invitations (
  id text not null,
  email_address text,
  status text,
  revoked boolean,
  expires_at timestamptz,
  public_metadata jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on invitations (email_address text_pattern_ops);
create index on invitations (least(expires_at)) where deleted_at is null and status in ('pending');

create table waitlist_entries (
  id text not null,
  email_address text,
  status text,
  is_locked boolean,
  invitation_id text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on waitlist_entries (email_address text_pattern_ops);

create table emails (
  id text not null,
  slug text,
  user_id text,
  email_address_id text,
  to_email_address text,
  from_email_name text,
  reply_to_email_name text,
  subject text,
  body text,
  body_plain text,
  status text,
  delivered_by_clerk boolean,
  suppression_reason text,
  data jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on emails (user_id text_pattern_ops);
create index on emails (synced_at);

create table sms_messages (
  id text not null,
  slug text,
  user_id text,
  phone_number_id text,
  to_phone_number text,
  from_phone_number text,
  message text,
  status text,
  delivered_by_clerk boolean,
  data jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on sms_messages (user_id text_pattern_ops);
create index on sms_messages (synced_at);

create table subscriptions (
  id text not null,
  status text,
  payer_id text,
  payer_user_id text,
  payer_organization_id text,
  active_at timestamptz,
  canceled_at timestamptz,
  ended_at timestamptz,
  past_due_at timestamptz,
  latest_payment_id text,
  payment_source_id text,
  eligible_for_free_trial boolean,
  next_payment jsonb,
  payer jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on subscriptions (payer_user_id text_pattern_ops);
create index on subscriptions (payer_organization_id text_pattern_ops);

create table subscription_items (
  id text not null,
  subscription_id text,
  status text,
  is_free_trial boolean,
  plan_period text,
  period_start timestamptz,
  period_end timestamptz,
  canceled_at timestamptz,
  ended_at timestamptz,
  past_due_at timestamptz,
  plan_id text,
  plan_slug text,
  plan_name text,
  plan_amount bigint,
  plan_currency text,
  price_id text,
  lifetime_paid bigint,
  next_payment_amount bigint,
  next_payment_date timestamptz,
  next_payment jsonb,
  payment_method jsonb,
  totals jsonb,
  credits jsonb,
  discount jsonb,
  payer_id text,
  payer_user_id text,
  payer_organization_id text,
  plan jsonb,
  payer jsonb,
  seats jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on subscription_items (subscription_id text_pattern_ops);
create index on subscription_items (payer_user_id text_pattern_ops);
create index on subscription_items (payer_organization_id text_pattern_ops);

create table statements (
  id text not null,
  status text,
  timestamp timestamptz,
  payer_id text,
  payer_user_id text,
  payer_organization_id text,
  amount bigint,
  currency text,
  totals jsonb,
  payer jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on statements (payer_user_id text_pattern_ops);
create index on statements (payer_organization_id text_pattern_ops);

create table payment_attempts (
  id text not null,
  status text,
  charge_type text,
  amount bigint,
  currency text,
  billing_date timestamptz,
  paid_at timestamptz,
  failed_at timestamptz,
  payment_id text,
  invoice_id text,
  statement_id text,
  gateway_external_id text,
  payer_id text,
  payer_user_id text,
  payer_organization_id text,
  failed_reason jsonb,
  totals jsonb,
  payer jsonb,
  payee jsonb,
  payment_source jsonb,
  subscription_item_id text,
  subscription_items jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on payment_attempts (payer_user_id text_pattern_ops);
create index on payment_attempts (payer_organization_id text_pattern_ops);

create table plans (
  id text not null,
  slug text,
  name text,
  description text,
  product_id text,
  for_payer_type text,
  is_default boolean,
  is_recurring boolean,
  publicly_visible boolean,
  has_base_fee boolean,
  fee_amount bigint,
  annual_fee_amount bigint,
  annual_monthly_fee_amount bigint,
  currency text,
  free_trial_enabled boolean,
  free_trial_days integer,
  unit_prices jsonb,
  avatar_url text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on plans (slug text_pattern_ops);

create table prices (
  id text not null,
  plan_id text,
  amount bigint,
  annual_monthly_amount bigint,
  currency text,
  description text,
  is_default boolean,
  supported_billing_periods text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on prices (plan_id text_pattern_ops);

create table credit_balances (
  id text not null,
  user_id text,
  organization_id text,
  amount bigint,
  currency text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on credit_balances (user_id, id);
create index on credit_balances (organization_id, id);

create table role_sets (
  id text not null,
  key text,
  name text,
  description text,
  type text,
  default_role_key text,
  creator_role_key text,
  roles jsonb,
  role_set_migration jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on role_sets (key text_pattern_ops);

create table enterprise_connections (
  id text not null,
  organization_id text,
  name text,
  provider text,
  active boolean,
  domains jsonb,
  sync_user_attributes boolean,
  disable_additional_identifications boolean,
  allow_organization_account_linking boolean,
  custom_attributes jsonb,
  saml_connection jsonb,
  oauth_config jsonb,
  logo_public_url text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on enterprise_connections (organization_id text_pattern_ops);

create table directories (
  id text not null,
  enterprise_connection_id text,
  name text,
  provider text,
  enabled boolean,
  endpoint_url text,
  group_role_mapping_enabled boolean,
  attribute_mapping jsonb,
  custom_attributes jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on directories (enterprise_connection_id text_pattern_ops);

create table directory_group_role_mappings (
  id text not null,
  directory_id text,
  directory_group_id text,
  directory_group_display_name text,
  role_id text,
  role_key text,
  precedence integer,
  role jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on directory_group_role_mappings (directory_id, id);

create table oauth_applications (
  id text not null,
  name text,
  client_id text,
  client_uri text,
  client_image_url text,
  public boolean,
  dynamically_registered boolean,
  consent_screen_enabled boolean,
  pkce_required boolean,
  scopes text,
  redirect_uris jsonb,
  callback_url text,
  authorize_url text,
  token_fetch_url text,
  user_info_url text,
  discovery_url text,
  token_introspection_url text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on oauth_applications (client_id text_pattern_ops);

create table machines (
  id text not null,
  name text,
  default_token_ttl integer,
  scoped_machines jsonb,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);

create table m2m_tokens (
  id text not null,
  subject text,
  claims jsonb,
  scopes jsonb,
  revoked boolean,
  revocation_reason text,
  expired boolean,
  expiration timestamptz,
  last_used_at timestamptz,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on m2m_tokens (subject, id);

create table api_keys (
  id text not null,
  subject text,
  user_id text,
  organization_id text,
  type text,
  name text,
  description text,
  claims jsonb,
  scopes jsonb,
  revoked boolean,
  revocation_reason text,
  expired boolean,
  expiration timestamptz,
  created_by text,
  last_used_at timestamptz,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on api_keys (user_id, id);
create index on api_keys (organization_id, id);

create table trusted_devices (
  id text not null,
  user_id text,
  name text,
  platform text,
  app_identifier text,
  algorithm text,
  status text,
  last_used_at timestamptz,
  revoked_at timestamptz,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on trusted_devices (user_id, id);

create table allowlist_identifiers (
  id text not null,
  identifier text,
  identifier_type text,
  invitation_id text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on allowlist_identifiers (identifier text_pattern_ops);

create table blocklist_identifiers (
  id text not null,
  identifier text,
  identifier_type text,
  raw json,
  erased_at timestamptz,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  observed_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  event_id text,
  instance_id text,
  primary key (id)
) with (toast_tuple_target = 8160);
create index on blocklist_identifiers (identifier text_pattern_ops);

create table email_addresses (
  user_id text not null,
  id text not null,
  email_address text,
  reserved boolean,
  verification_status text,
  verification jsonb,
  linked_to jsonb,
  matches_sso_connection boolean,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);
create index on email_addresses (email_address text_pattern_ops);

create table phone_numbers (
  user_id text not null,
  id text not null,
  phone_number text,
  reserved_for_second_factor boolean,
  default_second_factor boolean,
  reserved boolean,
  verification_status text,
  verification jsonb,
  linked_to jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);
create index on phone_numbers (phone_number text_pattern_ops);

create table web3_wallets (
  user_id text not null,
  id text not null,
  web3_wallet text,
  verification_status text,
  verification jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);
create index on web3_wallets (web3_wallet text_pattern_ops);

create table passkeys (
  user_id text not null,
  id text not null,
  name text,
  last_used_at timestamptz,
  verification_status text,
  verification jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);

create table external_accounts (
  user_id text not null,
  id text not null,
  provider text,
  identification_id text,
  external_account_id text,
  provider_user_id text,
  approved_scopes text,
  email_address text,
  email_address_verified boolean,
  first_name text,
  last_name text,
  username text,
  phone_number text,
  label text,
  avatar_url text,
  image_url text,
  public_metadata jsonb,
  verification_status text,
  verification jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);
create index on external_accounts (provider_user_id text_pattern_ops);

create table saml_accounts (
  user_id text not null,
  id text not null,
  provider text,
  active boolean,
  provider_user_id text,
  email_address text,
  first_name text,
  last_name text,
  last_authenticated_at timestamptz,
  public_metadata jsonb,
  verification_status text,
  verification jsonb,
  saml_connection jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);

create table enterprise_accounts (
  user_id text not null,
  id text not null,
  protocol text,
  provider text,
  active boolean,
  provider_user_id text,
  email_address text,
  first_name text,
  last_name text,
  enterprise_connection_id text,
  enterprise_connection jsonb,
  last_authenticated_at timestamptz,
  public_metadata jsonb,
  verification_status text,
  verification jsonb,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (user_id, id)
) with (toast_tuple_target = 8160);

create table plan_features (
  plan_id text not null,
  id text not null,
  slug text,
  name text,
  description text,
  avatar_url text,
  clerk_created_at timestamptz,
  clerk_updated_at timestamptz,
  deleted_at timestamptz,
  synced_at timestamptz not null default now(),
  instance_id text,
  primary key (plan_id, id)
) with (toast_tuple_target = 8160);

create view users_live as select * from users where deleted_at is null;
create view organizations_live as select * from organizations where deleted_at is null;
create view organization_memberships_live as select * from organization_memberships where deleted_at is null;
create view organization_invitations_live as select * from organization_invitations where deleted_at is null;
create view organization_domains_live as select * from organization_domains where deleted_at is null;
create view roles_live as select * from roles where deleted_at is null;
create view permissions_live as select * from permissions where deleted_at is null;
create view sessions_live as select * from sessions where deleted_at is null;
create view invitations_live as select * from invitations where deleted_at is null;
create view waitlist_entries_live as select * from waitlist_entries where deleted_at is null;
create view emails_live as select * from emails where deleted_at is null;
create view sms_messages_live as select * from sms_messages where deleted_at is null;
create view subscriptions_live as select * from subscriptions where deleted_at is null;
create view subscription_items_live as select * from subscription_items where deleted_at is null;
create view statements_live as select * from statements where deleted_at is null;
create view payment_attempts_live as select * from payment_attempts where deleted_at is null;
create view plans_live as select * from plans where deleted_at is null;
create view prices_live as select * from prices where deleted_at is null;
create view credit_balances_live as select * from credit_balances where deleted_at is null;
create view role_sets_live as select * from role_sets where deleted_at is null;
create view enterprise_connections_live as select * from enterprise_connections where deleted_at is null;
create view directories_live as select * from directories where deleted_at is null;
create view directory_group_role_mappings_live as select * from directory_group_role_mappings where deleted_at is null;
create view oauth_applications_live as select * from oauth_applications where deleted_at is null;
create view machines_live as select * from machines where deleted_at is null;
create view m2m_tokens_live as select * from m2m_tokens where deleted_at is null;
create view api_keys_live as select * from api_keys where deleted_at is null;
create view trusted_devices_live as select * from trusted_devices where deleted_at is null;
create view allowlist_identifiers_live as select * from allowlist_identifiers where deleted_at is null;
create view blocklist_identifiers_live as select * from blocklist_identifiers where deleted_at is null;
create view email_addresses_live as select * from email_addresses where deleted_at is null;
create view phone_numbers_live as select * from phone_numbers where deleted_at is null;
create view web3_wallets_live as select * from web3_wallets where deleted_at is null;
create view passkeys_live as select * from passkeys where deleted_at is null;
create view external_accounts_live as select * from external_accounts where deleted_at is null;
create view saml_accounts_live as select * from saml_accounts where deleted_at is null;
create view enterprise_accounts_live as select * from enterprise_accounts where deleted_at is null;
create view plan_features_live as select * from plan_features where deleted_at is null;
do $$ declare live text; begin
  if current_setting('server_version_num')::int >= 150000 then
    for live in select viewname from pg_views where schemaname = current_schema() and right(viewname, 5) = '_live' loop
      execute format('alter view %I set (security_invoker = true)', live); end loop; end if; end $$;
`
