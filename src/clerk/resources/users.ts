import { OLDEST_FIRST } from '../api-description.ts'
import type { EmailAddressPayload, Metadata, PhoneNumberPayload, VerificationPayload } from '../payloads.ts'
import {
  boolean,
  defineChildSet,
  defineResource,
  id,
  identifying,
  integer,
  json,
  key,
  listOf,
  personal,
  text,
  time,
} from '../resource.ts'
import { secretField, secretsWithin } from '../secrets.ts'

export const emailAddresses = defineChildSet({
  table: 'email_addresses',
  description: 'The e-mail addresses of each user.',
  parentColumn: 'user_id',
  field: 'email_addresses',
  identity: ['id', 'email_address'],
  columns: {
    email_address: identifying(key()),
    reserved: boolean(),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
    linked_to: json<EmailAddressPayload['linked_to']>(),
    matches_sso_connection: boolean(),
  },
  indexes: ['email_address'],
})

export const phoneNumbers = defineChildSet({
  table: 'phone_numbers',
  description: 'The phone numbers of each user. Backup codes are not kept.',
  parentColumn: 'user_id',
  field: 'phone_numbers',
  identity: ['id', 'phone_number'],
  columns: {
    phone_number: identifying(key()),
    reserved_for_second_factor: boolean(),
    default_second_factor: boolean(),
    reserved: boolean(),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
    linked_to: json<PhoneNumberPayload['linked_to']>(),
  },
  indexes: ['phone_number'],
})

export const web3Wallets = defineChildSet({
  table: 'web3_wallets',
  description: 'The Web3 wallets of each user.',
  parentColumn: 'user_id',
  field: 'web3_wallets',
  identity: ['id', 'web3_wallet'],
  columns: {
    web3_wallet: identifying(key()),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
  },
  indexes: ['web3_wallet'],
})

export const passkeys = defineChildSet({
  table: 'passkeys',
  description: 'The passkeys of each user.',
  parentColumn: 'user_id',
  field: 'passkeys',
  identity: ['id', 'name'],
  columns: {
    name: personal(text()),
    last_used_at: time(),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
  },
})

export const externalAccounts = defineChildSet({
  table: 'external_accounts',
  description: 'The OAuth accounts that each user connected.',
  parentColumn: 'user_id',
  field: 'external_accounts',
  identity: ['id', 'external_account_id', 'identification_id'],
  columns: {
    provider: text(),
    identification_id: id(),
    external_account_id: id(),
    provider_user_id: identifying(key()),
    approved_scopes: text(),
    email_address: identifying(key()),
    email_address_verified: boolean(),
    first_name: personal(text()),
    last_name: personal(text()),
    username: identifying(key()),
    phone_number: identifying(key()),
    label: personal(text()),
    avatar_url: identifying(text()),
    image_url: identifying(text()),
    public_metadata: personal(json<Metadata>()),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
  },
  indexes: ['provider_user_id'],
})

export const samlAccounts = defineChildSet({
  table: 'saml_accounts',
  description: 'The SAML accounts of each user.',
  parentColumn: 'user_id',
  field: 'saml_accounts',
  identity: ['id', 'provider_user_id'],
  columns: {
    provider: text(),
    active: boolean(),
    provider_user_id: identifying(key()),
    email_address: identifying(key()),
    first_name: personal(text()),
    last_name: personal(text()),
    last_authenticated_at: time(),
    public_metadata: personal(json<Metadata>()),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
    saml_connection: json(),
  },
})

export const enterpriseAccounts = defineChildSet({
  table: 'enterprise_accounts',
  description: 'The enterprise single sign-on accounts of each user.',
  parentColumn: 'user_id',
  field: 'enterprise_accounts',
  identity: ['id', 'provider_user_id'],
  columns: {
    protocol: text(),
    provider: text(),
    active: boolean(),
    provider_user_id: identifying(key()),
    email_address: identifying(key()),
    first_name: personal(text()),
    last_name: personal(text()),
    enterprise_connection_id: id(),
    enterprise_connection: json(),
    last_authenticated_at: time(),
    public_metadata: personal(json<Metadata>()),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
  },
})

/** The member that the user's `primary_…_id` names. Not the first of the list: the order means nothing. */
function primary(list: string, idField: string, field: string) {
  return (data: Record<string, unknown>) => {
    const primaryId = data[idField]
    return primaryId ? listOf(data[list]).find((member) => member.id === primaryId)?.[field] : null
  }
}

/** Each backup code replaces a second factor once. */
export const userSecrets = secretsWithin('phone_numbers', secretField('backup_codes'))

export const users = defineResource({
  table: 'users',
  description: 'Everyone who signed up.',
  events: { 'user.created': 'upsert', 'user.updated': 'upsert', 'user.deleted': 'delete' },
  columns: {
    external_id: identifying(key()),
    username: identifying(key()),
    first_name: personal(text()),
    last_name: personal(text()),
    primary_email_address: identifying({
      ...key(primary('email_addresses', 'primary_email_address_id', 'email_address')),
      derivedFrom: 'email_addresses.email_address',
    }),
    primary_phone_number: identifying({
      ...text(primary('phone_numbers', 'primary_phone_number_id', 'phone_number')),
      derivedFrom: 'phone_numbers.phone_number',
    }),
    primary_web3_wallet: identifying({
      ...text(primary('web3_wallets', 'primary_web3_wallet_id', 'web3_wallet')),
      derivedFrom: 'web3_wallets.web3_wallet',
    }),
    primary_email_address_id: id(),
    primary_phone_number_id: id(),
    primary_web3_wallet_id: id(),
    image_url: identifying(text()),
    profile_image_url: identifying(text()),
    has_image: boolean(),
    locale: text(),
    timezone: text(),
    public_metadata: personal(json<Metadata>()),
    private_metadata: personal(json<Metadata>()),
    unsafe_metadata: personal(json<Metadata>()),
    last_sign_in_at: time(),
    last_active_at: time(),
    banned: boolean(),
    locked: boolean(),
    lockout_expires_in_seconds: integer(),
    verification_attempts_remaining: integer(),
    deprovisioned: boolean(),
    scim: personal(json()),
    password_enabled: boolean(),
    password_last_updated_at: time(),
    two_factor_enabled: boolean(),
    totp_enabled: boolean(),
    backup_code_enabled: boolean(),
    mfa_enabled_at: time(),
    mfa_disabled_at: time(),
    delete_self_enabled: boolean(),
    create_organization_enabled: boolean(),
    create_organizations_limit: integer(),
    legal_accepted_at: time(),
    bypass_client_trust: boolean(),
  },
  indexes: ['external_id', 'username', 'primary_email_address'],
  secrets: userSecrets,
  children: [
    emailAddresses,
    phoneNumbers,
    web3Wallets,
    passkeys,
    externalAccounts,
    samlAccounts,
    enterpriseAccounts,
  ],
  api: {
    lists: [
      {
        path: '/users',
        paging: 'cursor',
        query: OLDEST_FIRST,
        countPath: '/users/count',
        latestFirst: { order_by: '-updated_at' },
      },
    ],
    get: '/users/{id}',
    find: { path: '/users', query: { user_id: '{id}' }, maxIds: 100 },
  },
})
