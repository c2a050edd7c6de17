/** What changes in users. */

import type { EmailAddressPayload, UserPayload } from '../../clerk/payloads.ts'
import { address, firstName, handle, imageUrl, lastName, metadata } from './content.ts'
import type { Instance } from './instance.ts'
import {
  asSecondFactor,
  emailAddress,
  externalAccount,
  passkey,
  phoneNumber,
  web3Wallet,
} from './user-accounts.ts'

/** What somebody changes now. */
export function changesOf(instance: Instance, user: UserPayload): Partial<UserPayload> {
  return instance.random.pickWeighted(CHANGES).change(instance, user)
}

type Change = (instance: Instance, user: UserPayload) => Partial<UserPayload>

/** What does not apply to a user changes `updated_at` alone, as saving without a change does. */
const CHANGES: readonly { weight: number; change: Change }[] = [
  { weight: 6, change: ({ random }) => ({ first_name: firstName(random), last_name: lastName(random) }) },
  { weight: 6, change: ({ random }) => ({ public_metadata: metadata(random) }) },
  {
    weight: 4,
    change: ({ random }) => ({ private_metadata: metadata(random), unsafe_metadata: metadata(random) }),
  },
  { weight: 3, change: ({ random }) => ({ username: handle(random), external_id: `crm-${handle(random)}` }) },
  { weight: 3, change: ({ random }) => ({ image_url: imageUrl(random), has_image: true }) },
  { weight: 2, change: ({ now }) => ({ password_enabled: true, password_last_updated_at: now }) },
  {
    weight: 1,
    change: ({ random }) => ({ totp_enabled: true, timezone: random.pick(['Asia/Tokyo', null]) }),
  },
  { weight: 5, change: addEmailAddress },
  { weight: 3, change: removeEmailAddress },
  { weight: 3, change: changePrimaryEmailAddress },
  { weight: 3, change: addPhoneNumber },
  { weight: 2, change: removePhoneNumber },
  { weight: 2, change: addWallet },
  { weight: 2, change: addPasskey },
  { weight: 2, change: removePasskeys },
  { weight: 3, change: connectAccount },
  { weight: 2, change: disconnectAccounts },
  { weight: 3, change: enableTwoFactor },
  { weight: 2, change: disableTwoFactor },
  { weight: 2, change: (_, user) => ({ banned: !user.banned }) },
  {
    weight: 2,
    change: (_, user) => ({ locked: !user.locked, lockout_expires_in_seconds: user.locked ? null : 3600 }),
  },
  // A directory that removes somebody only deactivates the user: no user.deleted comes.
  { weight: 1, change: () => ({ deprovisioned: true }) },
]

function addEmailAddress(instance: Instance, { email_addresses = [] }: UserPayload): Partial<UserPayload> {
  const added = emailAddress(instance, address(instance.random))
  return { email_addresses: instance.random.shuffle([...email_addresses, added]) }
}

function removeEmailAddress(_: Instance, user: UserPayload): Partial<UserPayload> {
  const isPrimary = ({ id }: EmailAddressPayload) => id === user.primary_email_address_id
  return { email_addresses: (user.email_addresses ?? []).filter(isPrimary) }
}

function changePrimaryEmailAddress(
  { random }: Instance,
  { email_addresses = [] }: UserPayload,
): Partial<UserPayload> {
  return email_addresses.length === 0 ? {} : { primary_email_address_id: random.pick(email_addresses).id }
}

function addPhoneNumber(instance: Instance, { phone_numbers = [] }: UserPayload): Partial<UserPayload> {
  const added = phoneNumber(instance)
  return { phone_numbers: [...phone_numbers, added], primary_phone_number_id: added.id }
}

function removePhoneNumber(_: Instance, { phone_numbers = [] }: UserPayload): Partial<UserPayload> {
  const left = phone_numbers.slice(1)
  return { phone_numbers: left, primary_phone_number_id: left[0]?.id ?? null, two_factor_enabled: false }
}

function addWallet(instance: Instance, { web3_wallets = [] }: UserPayload): Partial<UserPayload> {
  return { web3_wallets: [...web3_wallets, web3Wallet(instance)] }
}

function addPasskey(instance: Instance, { passkeys = [] }: UserPayload): Partial<UserPayload> {
  return { passkeys: [...passkeys, passkey(instance)] }
}

function removePasskeys(): Partial<UserPayload> {
  return { passkeys: [] }
}

function connectAccount(instance: Instance, { external_accounts = [] }: UserPayload): Partial<UserPayload> {
  return { external_accounts: [...external_accounts, externalAccount(instance, address(instance.random))] }
}

function disconnectAccounts(): Partial<UserPayload> {
  return { external_accounts: [] }
}

function enableTwoFactor(instance: Instance, { phone_numbers = [] }: UserPayload): Partial<UserPayload> {
  const [phone = phoneNumber(instance), ...others] = phone_numbers
  return {
    phone_numbers: [asSecondFactor(instance, phone), ...others],
    two_factor_enabled: true,
    backup_code_enabled: true,
    mfa_enabled_at: instance.now,
  }
}

function disableTwoFactor(instance: Instance, { phone_numbers = [] }: UserPayload): Partial<UserPayload> {
  return {
    phone_numbers: phone_numbers.map((phone) => ({
      ...phone,
      reserved_for_second_factor: false,
      backup_codes: null,
    })),
    two_factor_enabled: false,
    backup_code_enabled: false,
    mfa_disabled_at: instance.now,
  }
}
