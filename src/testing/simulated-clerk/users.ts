/** Users: they sign up in several ways, change, are blocked, and leave. */

import type { DeletedPayload, UserPayload } from '../../clerk/payloads.ts'
import { action, actionOn } from './action.ts'
import { address, firstName, handle, imageUrl, lastName, metadata } from './content.ts'
import type { Instance } from './instance.ts'
import { sendMembershipsDeleted } from './memberships.ts'
import {
  emailAddress,
  enterpriseAccounts,
  externalAccount,
  phoneNumber,
  web3Wallet,
} from './user-accounts.ts'
import { changesOf } from './user-changes.ts'

/** Ways to sign up; each leaves other lists of the user empty. */
const SIGN_UPS: readonly { weight: number; accounts: (instance: Instance) => Partial<UserPayload> }[] = [
  { weight: 50, accounts: (instance) => withEmailAddress(instance, address(instance.random)) },
  { weight: 10, accounts: withEmailAddresses },
  { weight: 15, accounts: withExternalAccount },
  { weight: 10, accounts: withPhoneNumber },
  { weight: 8, accounts: withWallet },
  { weight: 7, accounts: withEnterpriseAccount },
]

function withEmailAddress(instance: Instance, text: string): Partial<UserPayload> {
  const primary = emailAddress(instance, text)
  return { email_addresses: [primary], primary_email_address_id: primary.id, password_enabled: true }
}

/** The primary address is often not the first of the list. */
function withEmailAddresses(instance: Instance): Partial<UserPayload> {
  const addresses = [1, 2, 3].map(() => emailAddress(instance, address(instance.random)))
  return { email_addresses: addresses, primary_email_address_id: instance.random.pick(addresses).id }
}

function withExternalAccount(instance: Instance): Partial<UserPayload> {
  const text = address(instance.random)
  const account = externalAccount(instance, text)
  const link = { type: String(account.provider), id: String(account.identification_id) }
  const primary = emailAddress(instance, text, [link])
  return { email_addresses: [primary], primary_email_address_id: primary.id, external_accounts: [account] }
}

function withPhoneNumber(instance: Instance): Partial<UserPayload> {
  const primary = phoneNumber(instance)
  return { phone_numbers: [primary], primary_phone_number_id: primary.id }
}

function withWallet(instance: Instance): Partial<UserPayload> {
  const primary = web3Wallet(instance)
  return { web3_wallets: [primary], primary_web3_wallet_id: primary.id }
}

function withEnterpriseAccount(instance: Instance): Partial<UserPayload> {
  const text = address(instance.random)
  const { saml, enterprise } = enterpriseAccounts(instance, text)
  return {
    ...withEmailAddress(instance, text),
    password_enabled: false,
    saml_accounts: [saml],
    enterprise_accounts: [enterprise],
    scim: {
      directory_id: instance.newId('scimdir'),
      directory_enabled: true,
      external_id: instance.random.digits(8),
    },
  }
}

/** A user signs up. */
export function signUp(
  instance: Instance,
  accounts: Partial<UserPayload> = instance.random.pickWeighted(SIGN_UPS).accounts(instance),
): UserPayload {
  const identity = { object: 'user', id: instance.newId('user') }
  const user = instance.add('users', identity, { ...newProfile(instance), ...accounts })
  instance.send('user.created', user)
  return user
}

/** A user with this address signs up. */
export function signUpWith(instance: Instance, emailAddressText: string): UserPayload {
  return signUp(instance, withEmailAddress(instance, emailAddressText))
}

function newProfile(instance: Instance): Partial<UserPayload> {
  const { random } = instance
  const image_url = imageUrl(random)
  return {
    external_id: random.chance(0.2) ? `crm-${handle(random)}` : null,
    primary_email_address_id: null,
    primary_phone_number_id: null,
    primary_web3_wallet_id: null,
    username: random.chance(0.5) ? handle(random) : null,
    first_name: random.chance(0.9) ? firstName(random) : null,
    last_name: random.chance(0.9) ? lastName(random) : null,
    locale: random.pick(['en-GB', 'de', 'ja', 'ar-EG', null]),
    profile_image_url: image_url,
    image_url,
    has_image: random.chance(0.5),
    public_metadata: metadata(random),
    private_metadata: random.chance(0.1) ? null : metadata(random),
    unsafe_metadata: metadata(random),
    email_addresses: [],
    phone_numbers: [],
    web3_wallets: [],
    passkeys: [],
    password_enabled: false,
    two_factor_enabled: false,
    totp_enabled: false,
    backup_code_enabled: false,
    mfa_enabled_at: null,
    mfa_disabled_at: null,
    password_last_updated_at: null,
    external_accounts: [],
    saml_accounts: [],
    enterprise_accounts: [],
    last_sign_in_at: null,
    last_active_at: instance.now,
    banned: false,
    locked: false,
    deprovisioned: false,
    lockout_expires_in_seconds: null,
    verification_attempts_remaining: 100,
    delete_self_enabled: true,
    create_organization_enabled: true,
    create_organizations_limit: random.pick([null, 3]),
    legal_accepted_at: random.pick([null, instance.now]),
    bypass_client_trust: false,
    scim: null,
    timezone: random.pick(['Europe/London', 'Asia/Tokyo', null]),
  }
}

function remove(instance: Instance, user: UserPayload): void {
  const { tables } = instance
  const memberships = tables.organization_memberships.deleteOwnedBy(user.id)
  tables.sessions.deleteOwnedBy(user.id)
  tables.api_keys.deleteOwnedBy(user.id)
  tables.trusted_devices.deleteOwnedBy(user.id)
  tables.users.delete(user)
  const deleted: DeletedPayload = { object: 'user', id: user.id, deleted: true }
  if (user.external_id) deleted.external_id = user.external_id
  sendMembershipsDeleted(instance, memberships, (at) => instance.send('user.deleted', deleted, at))
}

export const createUser = action({ weight: 14, run: (instance) => signUp(instance) })

export const updateUser = actionOn('users', {
  weight: 16,
  otherwise: createUser,
  run: (instance, user) => {
    instance.send('user.updated', instance.update('users', user, changesOf(instance, user)))
  },
})

export const deleteUser = actionOn('users', { weight: 4, otherwise: createUser, run: remove })

const createUserWithAddress = action({
  weight: 0,
  run: (instance) => signUpWith(instance, address(instance.random)),
})

/** The same person leaves and comes back: another id, the same address. */
export const recreateUser = actionOn('users', {
  weight: 1,
  suits: ({ email_addresses = [] }) => email_addresses.length > 0,
  otherwise: createUserWithAddress,
  run: (instance, user) => {
    remove(instance, user)
    signUpWith(instance, String(user.email_addresses?.[0]?.email_address))
  },
})
