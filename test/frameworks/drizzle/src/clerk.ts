// Made by: clerk-sync schema --drizzle > src/db/clerk.ts
// Keep it in a file of its own, and run the command again after an upgrade: it replaces the file.
// clerk-sync migrates these tables: import from this file, but do not list it as `schema` in drizzle.config.ts, or
// drizzle-kit will create them as well.
import { relations } from 'drizzle-orm'
import { boolean, integer, json, jsonb, pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

export const clerk = pgSchema("clerk")

/** Everyone who signed up. */
export const users = clerk.table('users', {
  id: text('id').primaryKey(),
  externalId: text('external_id'),
  username: text('username'),
  firstName: text('first_name'),
  lastName: text('last_name'),
  primaryEmailAddress: text('primary_email_address'),
  primaryPhoneNumber: text('primary_phone_number'),
  primaryWeb3Wallet: text('primary_web3_wallet'),
  primaryEmailAddressId: text('primary_email_address_id'),
  primaryPhoneNumberId: text('primary_phone_number_id'),
  primaryWeb3WalletId: text('primary_web3_wallet_id'),
  imageUrl: text('image_url'),
  profileImageUrl: text('profile_image_url'),
  hasImage: boolean('has_image'),
  locale: text('locale'),
  timezone: text('timezone'),
  publicMetadata: jsonb('public_metadata'),
  privateMetadata: jsonb('private_metadata'),
  unsafeMetadata: jsonb('unsafe_metadata'),
  lastSignInAt: timestamp('last_sign_in_at', { withTimezone: true }),
  lastActiveAt: timestamp('last_active_at', { withTimezone: true }),
  banned: boolean('banned'),
  locked: boolean('locked'),
  lockoutExpiresInSeconds: integer('lockout_expires_in_seconds'),
  verificationAttemptsRemaining: integer('verification_attempts_remaining'),
  deprovisioned: boolean('deprovisioned'),
  scim: jsonb('scim'),
  passwordEnabled: boolean('password_enabled'),
  passwordLastUpdatedAt: timestamp('password_last_updated_at', { withTimezone: true }),
  twoFactorEnabled: boolean('two_factor_enabled'),
  totpEnabled: boolean('totp_enabled'),
  backupCodeEnabled: boolean('backup_code_enabled'),
  mfaEnabledAt: timestamp('mfa_enabled_at', { withTimezone: true }),
  mfaDisabledAt: timestamp('mfa_disabled_at', { withTimezone: true }),
  deleteSelfEnabled: boolean('delete_self_enabled'),
  createOrganizationEnabled: boolean('create_organization_enabled'),
  createOrganizationsLimit: integer('create_organizations_limit'),
  legalAcceptedAt: timestamp('legal_accepted_at', { withTimezone: true }),
  bypassClientTrust: boolean('bypass_client_trust'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The organizations of the instance. */
export const organizations = clerk.table('organizations', {
  id: text('id').primaryKey(),
  name: text('name'),
  slug: text('slug'),
  imageUrl: text('image_url'),
  hasImage: boolean('has_image'),
  membersCount: integer('members_count'),
  pendingInvitationsCount: integer('pending_invitations_count'),
  missingMemberWithElevatedPermissions: boolean('missing_member_with_elevated_permissions'),
  maxAllowedMemberships: integer('max_allowed_memberships'),
  adminDeleteEnabled: boolean('admin_delete_enabled'),
  publicMetadata: jsonb('public_metadata'),
  privateMetadata: jsonb('private_metadata'),
  createdBy: text('created_by'),
  roleSetKey: text('role_set_key'),
  lastActiveAt: timestamp('last_active_at', { withTimezone: true }),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Who belongs to which organization, and in which role. */
export const organizationMemberships = clerk.table('organization_memberships', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id'),
  userId: text('user_id'),
  role: text('role'),
  roleName: text('role_name'),
  permissions: jsonb('permissions'),
  publicMetadata: jsonb('public_metadata'),
  privateMetadata: jsonb('private_metadata'),
  publicUserData: jsonb('public_user_data'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Invitations into organizations. The ticket URL is not kept. */
export const organizationInvitations = clerk.table('organization_invitations', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id'),
  emailAddress: text('email_address'),
  status: text('status'),
  role: text('role'),
  roleName: text('role_name'),
  inviterId: text('inviter_id'),
  userId: text('user_id'),
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  publicMetadata: jsonb('public_metadata'),
  privateMetadata: jsonb('private_metadata'),
  publicInviterData: jsonb('public_inviter_data'),
  publicOrganizationData: jsonb('public_organization_data'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The e-mail domains of organizations. */
export const organizationDomains = clerk.table('organization_domains', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id'),
  name: text('name'),
  enrollmentMode: text('enrollment_mode'),
  affiliationEmailAddress: text('affiliation_email_address'),
  totalPendingInvitations: integer('total_pending_invitations'),
  totalPendingSuggestions: integer('total_pending_suggestions'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  affiliationVerification: jsonb('affiliation_verification'),
  ownershipVerification: jsonb('ownership_verification'),
  publicOrganizationData: jsonb('public_organization_data'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The roles that members of organizations can have. */
export const roles = clerk.table('roles', {
  id: text('id').primaryKey(),
  key: text('key'),
  name: text('name'),
  description: text('description'),
  isCreatorEligible: boolean('is_creator_eligible'),
  permissions: jsonb('permissions'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The permissions that roles can hold. */
export const permissions = clerk.table('permissions', {
  id: text('id').primaryKey(),
  key: text('key'),
  name: text('name'),
  description: text('description'),
  type: text('type'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Sign-in sessions. Clerk sends no event when one expires: a reconcile sets its `status`; until then look at `expire_at` and `abandon_at` too. */
export const sessions = clerk.table('sessions', {
  id: text('id').primaryKey(),
  userId: text('user_id'),
  clientId: text('client_id'),
  status: text('status'),
  lastActiveOrganizationId: text('last_active_organization_id'),
  lastActiveAt: timestamp('last_active_at', { withTimezone: true }),
  expireAt: timestamp('expire_at', { withTimezone: true }),
  abandonAt: timestamp('abandon_at', { withTimezone: true }),
  actor: jsonb('actor'),
  latestActivity: jsonb('latest_activity'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Invitations to the application. The ticket URL is not kept. */
export const invitations = clerk.table('invitations', {
  id: text('id').primaryKey(),
  emailAddress: text('email_address'),
  status: text('status'),
  revoked: boolean('revoked'),
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  publicMetadata: jsonb('public_metadata'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** People who asked to be let in. */
export const waitlistEntries = clerk.table('waitlist_entries', {
  id: text('id').primaryKey(),
  emailAddress: text('email_address'),
  status: text('status'),
  isLocked: boolean('is_locked'),
  invitationId: text('invitation_id'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** A log of the e-mails that Clerk sent or asked to send. One-time codes and tickets are not kept. */
export const emails = clerk.table('emails', {
  id: text('id').primaryKey(),
  slug: text('slug'),
  userId: text('user_id'),
  emailAddressId: text('email_address_id'),
  toEmailAddress: text('to_email_address'),
  fromEmailName: text('from_email_name'),
  replyToEmailName: text('reply_to_email_name'),
  subject: text('subject'),
  body: text('body'),
  bodyPlain: text('body_plain'),
  status: text('status'),
  deliveredByClerk: boolean('delivered_by_clerk'),
  suppressionReason: text('suppression_reason'),
  data: jsonb('data'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** A log of the SMS messages that Clerk sent or asked to send. One-time codes are not kept. */
export const smsMessages = clerk.table('sms_messages', {
  id: text('id').primaryKey(),
  slug: text('slug'),
  userId: text('user_id'),
  phoneNumberId: text('phone_number_id'),
  toPhoneNumber: text('to_phone_number'),
  fromPhoneNumber: text('from_phone_number'),
  message: text('message'),
  status: text('status'),
  deliveredByClerk: boolean('delivered_by_clerk'),
  data: jsonb('data'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Billing subscriptions of users and organizations. */
export const subscriptions = clerk.table('subscriptions', {
  id: text('id').primaryKey(),
  status: text('status'),
  payerId: text('payer_id'),
  payerUserId: text('payer_user_id'),
  payerOrganizationId: text('payer_organization_id'),
  activeAt: timestamp('active_at', { withTimezone: true }),
  canceledAt: timestamp('canceled_at', { withTimezone: true }),
  endedAt: timestamp('ended_at', { withTimezone: true }),
  pastDueAt: timestamp('past_due_at', { withTimezone: true }),
  latestPaymentId: text('latest_payment_id'),
  paymentSourceId: text('payment_source_id'),
  payer: jsonb('payer'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The plans within subscriptions. */
export const subscriptionItems = clerk.table('subscription_items', {
  id: text('id').primaryKey(),
  subscriptionId: text('subscription_id'),
  status: text('status'),
  isFreeTrial: boolean('is_free_trial'),
  planPeriod: text('plan_period'),
  periodStart: timestamp('period_start', { withTimezone: true }),
  periodEnd: timestamp('period_end', { withTimezone: true }),
  canceledAt: timestamp('canceled_at', { withTimezone: true }),
  endedAt: timestamp('ended_at', { withTimezone: true }),
  pastDueAt: timestamp('past_due_at', { withTimezone: true }),
  planId: text('plan_id'),
  planSlug: text('plan_slug'),
  planName: text('plan_name'),
  planAmount: integer('plan_amount'),
  planCurrency: text('plan_currency'),
  payerId: text('payer_id'),
  payerUserId: text('payer_user_id'),
  payerOrganizationId: text('payer_organization_id'),
  plan: jsonb('plan'),
  payer: jsonb('payer'),
  seats: jsonb('seats'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** Attempts to collect a payment. */
export const paymentAttempts = clerk.table('payment_attempts', {
  id: text('id').primaryKey(),
  status: text('status'),
  chargeType: text('charge_type'),
  amount: integer('amount'),
  currency: text('currency'),
  billingDate: timestamp('billing_date', { withTimezone: true }),
  paidAt: timestamp('paid_at', { withTimezone: true }),
  failedAt: timestamp('failed_at', { withTimezone: true }),
  paymentId: text('payment_id'),
  invoiceId: text('invoice_id'),
  statementId: text('statement_id'),
  gatewayExternalId: text('gateway_external_id'),
  payerId: text('payer_id'),
  payerUserId: text('payer_user_id'),
  payerOrganizationId: text('payer_organization_id'),
  failedReason: jsonb('failed_reason'),
  totals: jsonb('totals'),
  payer: jsonb('payer'),
  payee: jsonb('payee'),
  paymentSource: jsonb('payment_source'),
  subscriptionItems: jsonb('subscription_items'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
})

/** The e-mail addresses of each user. */
export const emailAddresses = clerk.table('email_addresses', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  emailAddress: text('email_address'),
  reserved: boolean('reserved'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  linkedTo: jsonb('linked_to'),
  matchesSsoConnection: boolean('matches_sso_connection'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The phone numbers of each user. Backup codes are not kept. */
export const phoneNumbers = clerk.table('phone_numbers', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  phoneNumber: text('phone_number'),
  reservedForSecondFactor: boolean('reserved_for_second_factor'),
  defaultSecondFactor: boolean('default_second_factor'),
  reserved: boolean('reserved'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  linkedTo: jsonb('linked_to'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The Web3 wallets of each user. */
export const web3Wallets = clerk.table('web3_wallets', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  web3Wallet: text('web3_wallet'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The passkeys of each user. */
export const passkeys = clerk.table('passkeys', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  name: text('name'),
  lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The OAuth accounts that each user connected. */
export const externalAccounts = clerk.table('external_accounts', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  provider: text('provider'),
  identificationId: text('identification_id'),
  externalAccountId: text('external_account_id'),
  providerUserId: text('provider_user_id'),
  approvedScopes: text('approved_scopes'),
  emailAddress: text('email_address'),
  emailAddressVerified: boolean('email_address_verified'),
  firstName: text('first_name'),
  lastName: text('last_name'),
  username: text('username'),
  phoneNumber: text('phone_number'),
  label: text('label'),
  avatarUrl: text('avatar_url'),
  imageUrl: text('image_url'),
  publicMetadata: jsonb('public_metadata'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The SAML accounts of each user. */
export const samlAccounts = clerk.table('saml_accounts', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  provider: text('provider'),
  active: boolean('active'),
  providerUserId: text('provider_user_id'),
  emailAddress: text('email_address'),
  firstName: text('first_name'),
  lastName: text('last_name'),
  lastAuthenticatedAt: timestamp('last_authenticated_at', { withTimezone: true }),
  publicMetadata: jsonb('public_metadata'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  samlConnection: jsonb('saml_connection'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

/** The enterprise single sign-on accounts of each user. */
export const enterpriseAccounts = clerk.table('enterprise_accounts', {
  userId: text('user_id').notNull(),
  id: text('id').notNull(),
  protocol: text('protocol'),
  provider: text('provider'),
  active: boolean('active'),
  providerUserId: text('provider_user_id'),
  emailAddress: text('email_address'),
  firstName: text('first_name'),
  lastName: text('last_name'),
  enterpriseConnectionId: text('enterprise_connection_id'),
  enterpriseConnection: jsonb('enterprise_connection'),
  lastAuthenticatedAt: timestamp('last_authenticated_at', { withTimezone: true }),
  publicMetadata: jsonb('public_metadata'),
  verificationStatus: text('verification_status'),
  verification: jsonb('verification'),
  raw: json('raw'),
  clerkCreatedAt: timestamp('clerk_created_at', { withTimezone: true }),
  clerkUpdatedAt: timestamp('clerk_updated_at', { withTimezone: true }),
  observedAt: timestamp('observed_at', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
  syncedAt: timestamp('synced_at', { withTimezone: true }).notNull().defaultNow(),
  eventId: text('event_id'),
  instanceId: text('instance_id'),
}, (table) => [primaryKey({ columns: [table.userId, table.id] })])

export const usersRelations = relations(users, ({ many }) => ({
  organizationMemberships: many(organizationMemberships, { relationName: 'organization_memberships_user_id' }),
  organizationInvitations: many(organizationInvitations, { relationName: 'organization_invitations_user_id' }),
  sessions: many(sessions, { relationName: 'sessions_user_id' }),
  emails: many(emails, { relationName: 'emails_user_id' }),
  smsMessages: many(smsMessages, { relationName: 'sms_messages_user_id' }),
  subscriptionsByPayerUser: many(subscriptions, { relationName: 'subscriptions_payer_user_id' }),
  subscriptionItemsByPayerUser: many(subscriptionItems, { relationName: 'subscription_items_payer_user_id' }),
  paymentAttemptsByPayerUser: many(paymentAttempts, { relationName: 'payment_attempts_payer_user_id' }),
  emailAddresses: many(emailAddresses, { relationName: 'email_addresses_user_id' }),
  phoneNumbers: many(phoneNumbers, { relationName: 'phone_numbers_user_id' }),
  web3Wallets: many(web3Wallets, { relationName: 'web3_wallets_user_id' }),
  passkeys: many(passkeys, { relationName: 'passkeys_user_id' }),
  externalAccounts: many(externalAccounts, { relationName: 'external_accounts_user_id' }),
  samlAccounts: many(samlAccounts, { relationName: 'saml_accounts_user_id' }),
  enterpriseAccounts: many(enterpriseAccounts, { relationName: 'enterprise_accounts_user_id' }),
}))

export const organizationsRelations = relations(organizations, ({ many }) => ({
  organizationMemberships: many(organizationMemberships, { relationName: 'organization_memberships_organization_id' }),
  organizationInvitations: many(organizationInvitations, { relationName: 'organization_invitations_organization_id' }),
  organizationDomains: many(organizationDomains, { relationName: 'organization_domains_organization_id' }),
  sessionsByLastActiveOrganization: many(sessions, { relationName: 'sessions_last_active_organization_id' }),
  subscriptionsByPayerOrganization: many(subscriptions, { relationName: 'subscriptions_payer_organization_id' }),
  subscriptionItemsByPayerOrganization: many(subscriptionItems, { relationName: 'subscription_items_payer_organization_id' }),
  paymentAttemptsByPayerOrganization: many(paymentAttempts, { relationName: 'payment_attempts_payer_organization_id' }),
}))

export const organizationMembershipsRelations = relations(organizationMemberships, ({ one }) => ({
  organization: one(organizations, { fields: [organizationMemberships.organizationId], references: [organizations.id], relationName: 'organization_memberships_organization_id' }),
  user: one(users, { fields: [organizationMemberships.userId], references: [users.id], relationName: 'organization_memberships_user_id' }),
}))

export const organizationInvitationsRelations = relations(organizationInvitations, ({ one }) => ({
  organization: one(organizations, { fields: [organizationInvitations.organizationId], references: [organizations.id], relationName: 'organization_invitations_organization_id' }),
  user: one(users, { fields: [organizationInvitations.userId], references: [users.id], relationName: 'organization_invitations_user_id' }),
}))

export const organizationDomainsRelations = relations(organizationDomains, ({ one }) => ({
  organization: one(organizations, { fields: [organizationDomains.organizationId], references: [organizations.id], relationName: 'organization_domains_organization_id' }),
}))

export const sessionsRelations = relations(sessions, ({ one }) => ({
  user: one(users, { fields: [sessions.userId], references: [users.id], relationName: 'sessions_user_id' }),
  lastActiveOrganization: one(organizations, { fields: [sessions.lastActiveOrganizationId], references: [organizations.id], relationName: 'sessions_last_active_organization_id' }),
}))

export const invitationsRelations = relations(invitations, ({ many }) => ({
  waitlistEntries: many(waitlistEntries, { relationName: 'waitlist_entries_invitation_id' }),
}))

export const waitlistEntriesRelations = relations(waitlistEntries, ({ one }) => ({
  invitation: one(invitations, { fields: [waitlistEntries.invitationId], references: [invitations.id], relationName: 'waitlist_entries_invitation_id' }),
}))

export const emailsRelations = relations(emails, ({ one }) => ({
  user: one(users, { fields: [emails.userId], references: [users.id], relationName: 'emails_user_id' }),
}))

export const smsMessagesRelations = relations(smsMessages, ({ one }) => ({
  user: one(users, { fields: [smsMessages.userId], references: [users.id], relationName: 'sms_messages_user_id' }),
}))

export const subscriptionsRelations = relations(subscriptions, ({ one, many }) => ({
  payerUser: one(users, { fields: [subscriptions.payerUserId], references: [users.id], relationName: 'subscriptions_payer_user_id' }),
  payerOrganization: one(organizations, { fields: [subscriptions.payerOrganizationId], references: [organizations.id], relationName: 'subscriptions_payer_organization_id' }),
  subscriptionItems: many(subscriptionItems, { relationName: 'subscription_items_subscription_id' }),
}))

export const subscriptionItemsRelations = relations(subscriptionItems, ({ one }) => ({
  subscription: one(subscriptions, { fields: [subscriptionItems.subscriptionId], references: [subscriptions.id], relationName: 'subscription_items_subscription_id' }),
  payerUser: one(users, { fields: [subscriptionItems.payerUserId], references: [users.id], relationName: 'subscription_items_payer_user_id' }),
  payerOrganization: one(organizations, { fields: [subscriptionItems.payerOrganizationId], references: [organizations.id], relationName: 'subscription_items_payer_organization_id' }),
}))

export const paymentAttemptsRelations = relations(paymentAttempts, ({ one }) => ({
  payerUser: one(users, { fields: [paymentAttempts.payerUserId], references: [users.id], relationName: 'payment_attempts_payer_user_id' }),
  payerOrganization: one(organizations, { fields: [paymentAttempts.payerOrganizationId], references: [organizations.id], relationName: 'payment_attempts_payer_organization_id' }),
}))

export const emailAddressesRelations = relations(emailAddresses, ({ one }) => ({
  user: one(users, { fields: [emailAddresses.userId], references: [users.id], relationName: 'email_addresses_user_id' }),
}))

export const phoneNumbersRelations = relations(phoneNumbers, ({ one }) => ({
  user: one(users, { fields: [phoneNumbers.userId], references: [users.id], relationName: 'phone_numbers_user_id' }),
}))

export const web3WalletsRelations = relations(web3Wallets, ({ one }) => ({
  user: one(users, { fields: [web3Wallets.userId], references: [users.id], relationName: 'web3_wallets_user_id' }),
}))

export const passkeysRelations = relations(passkeys, ({ one }) => ({
  user: one(users, { fields: [passkeys.userId], references: [users.id], relationName: 'passkeys_user_id' }),
}))

export const externalAccountsRelations = relations(externalAccounts, ({ one }) => ({
  user: one(users, { fields: [externalAccounts.userId], references: [users.id], relationName: 'external_accounts_user_id' }),
}))

export const samlAccountsRelations = relations(samlAccounts, ({ one }) => ({
  user: one(users, { fields: [samlAccounts.userId], references: [users.id], relationName: 'saml_accounts_user_id' }),
}))

export const enterpriseAccountsRelations = relations(enterpriseAccounts, ({ one }) => ({
  user: one(users, { fields: [enterpriseAccounts.userId], references: [users.id], relationName: 'enterprise_accounts_user_id' }),
}))
