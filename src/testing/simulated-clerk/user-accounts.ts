/** What a user signs in with: addresses, numbers, wallets, keys and accounts elsewhere. */

import type {
  AccountConnectionPayload,
  EmailAddressPayload,
  EnterpriseAccountPayload,
  ExternalAccountPayload,
  Milliseconds,
  PasskeyPayload,
  PhoneNumberPayload,
  SamlAccountPayload,
  VerificationPayload,
  Web3WalletPayload,
} from '../../clerk/payloads.ts'
import { firstName, handle, imageUrl, lastName, metadata } from './content.ts'
import type { Instance } from './instance.ts'

const TEN_MINUTES = 600_000
const BACKUP_CODES = 10

function verification(object: string, strategy: string, at: Milliseconds): VerificationPayload {
  return { object, status: 'verified', strategy, attempts: 1, expire_at: at + TEN_MINUTES }
}

function clocks(instance: Instance) {
  return { created_at: instance.tick(), updated_at: instance.tick() }
}

export function emailAddress(
  instance: Instance,
  address: string,
  linkedTo: readonly { type: string; id: string }[] = [],
): EmailAddressPayload {
  return {
    id: instance.newId('idn'),
    object: 'email_address',
    email_address: address,
    reserved: false,
    verification: verification('verification_otp', 'email_code', instance.now),
    linked_to: [...linkedTo],
    matches_sso_connection: false,
    ...clocks(instance),
  }
}

export function phoneNumber(instance: Instance): PhoneNumberPayload {
  return {
    id: instance.newId('idn'),
    object: 'phone_number',
    phone_number: `+1555${instance.random.digits(7)}`,
    reserved_for_second_factor: false,
    default_second_factor: false,
    reserved: false,
    verification: { ...verification('verification_otp', 'phone_code', instance.now), channel: 'sms' },
    linked_to: [],
    backup_codes: null,
    ...clocks(instance),
  }
}

/** The number as a second factor. The backup codes are secrets: each replaces the factor once. */
export function asSecondFactor(instance: Instance, phone: PhoneNumberPayload): PhoneNumberPayload {
  return {
    ...phone,
    reserved_for_second_factor: true,
    default_second_factor: true,
    backup_codes: Array.from({ length: BACKUP_CODES }, () => instance.random.digits(8)),
    updated_at: instance.tick(),
  }
}

export function web3Wallet(instance: Instance): Web3WalletPayload {
  return {
    id: instance.newId('idn'),
    object: 'web3_wallet',
    web3_wallet: `0x${Buffer.from(instance.random.bytes(20)).toString('hex')}`,
    verification: verification('verification_web3', 'web3_metamask_signature', instance.now),
    ...clocks(instance),
  }
}

export function passkey(instance: Instance): PasskeyPayload {
  return {
    id: instance.newId('idn'),
    object: 'passkey',
    name: instance.random.pick(['iCloud Keychain', 'YubiKey 5', 'Chrome on Mac', 'Windows Hello']),
    last_used_at: instance.now,
    verification: verification('verification_passkey', 'passkey', instance.now),
  }
}

export function externalAccount(instance: Instance, address: string): ExternalAccountPayload {
  const { random } = instance
  const provider = random.pick(['google', 'github', 'facebook'])
  const id = instance.newId('eac')
  return {
    id,
    object: provider === 'github' ? 'external_account' : `${provider}_account`,
    provider: `oauth_${provider}`,
    identification_id: instance.newId('idn'),
    external_account_id: id,
    provider_user_id: random.digits(21),
    approved_scopes: 'email openid profile',
    email_address: address,
    email_address_verified: random.pick([true, false, null]),
    first_name: firstName(random),
    last_name: lastName(random),
    avatar_url: imageUrl(random),
    image_url: imageUrl(random),
    username: provider === 'github' ? handle(random) : null,
    phone_number: null,
    public_metadata: metadata(random),
    label: null,
    verification: verification('verification_oauth', `oauth_${provider}`, instance.now),
    ...clocks(instance),
  }
}

/** Clerk shows an account of an enterprise connection by SAML twice: under its old name and under its new one. */
export function enterpriseAccounts(instance: Instance, address: string) {
  const { random } = instance
  const domain = address.slice(address.indexOf('@') + 1)
  const account = {
    provider: 'saml_okta',
    active: true,
    email_address: address,
    first_name: firstName(random),
    last_name: lastName(random),
    provider_user_id: random.digits(12),
    last_authenticated_at: instance.now,
    public_metadata: metadata(random),
    verification: verification('verification_saml', 'saml', instance.now),
  }
  const connection = connectionTo(instance, domain)
  return {
    saml: samlAccount(instance, account, connection),
    enterprise: enterpriseAccount(instance, account, connection),
  }
}

type Account = Omit<EnterpriseAccountPayload, 'id' | 'object'>

function samlAccount(
  instance: Instance,
  account: Account,
  connection: AccountConnectionPayload,
): SamlAccountPayload {
  return {
    ...account,
    id: instance.newId('samlac'),
    object: 'saml_account',
    saml_connection: { ...connection, id: instance.newId('samlc'), object: 'saml_connection' },
  }
}

function enterpriseAccount(
  instance: Instance,
  account: Account,
  connection: AccountConnectionPayload,
): EnterpriseAccountPayload {
  return {
    ...account,
    id: instance.newId('entac'),
    object: 'enterprise_account',
    protocol: 'saml',
    enterprise_connection_id: connection.id,
    enterprise_connection: connection,
  }
}

function connectionTo(instance: Instance, domain: string): AccountConnectionPayload {
  return {
    id: instance.newId('entconn'),
    object: 'enterprise_connection',
    protocol: 'saml',
    provider: 'saml_okta',
    name: domain,
    logo_public_url: null,
    domain,
    domains: [domain],
    active: true,
    sync_user_attributes: true,
    allow_subdomains: false,
    allow_idp_initiated: false,
    disable_additional_identifications: false,
    ...clocks(instance),
  }
}
