/** Who pays: a user or an organization. Billing writes `""` for what the other kind has. */

import type { OrganizationPayload, PayerPayload, UserPayload } from '../../clerk/payloads.ts'
import type { Instance } from './instance.ts'

const NOBODY = {
  user_id: '',
  first_name: '',
  last_name: '',
  email: '',
  organization_id: '',
  organization_name: '',
  image_url: '',
}

export function userPayer(instance: Instance, user: UserPayload): PayerPayload {
  return payer(instance, {
    user_id: user.id,
    first_name: user.first_name ?? '',
    last_name: user.last_name ?? '',
    email: user.email_addresses?.[0]?.email_address ?? '',
    image_url: user.image_url ?? '',
  })
}

export function organizationPayer(
  instance: Instance,
  { id, name, image_url }: OrganizationPayload,
): PayerPayload {
  return payer(instance, { organization_id: id, organization_name: name ?? '', image_url: image_url ?? '' })
}

function payer(instance: Instance, fields: Partial<PayerPayload>): PayerPayload {
  const clocks = { created_at: instance.now, updated_at: instance.now }
  return { object: 'commerce_payer', id: instance.newId('cpayer'), ...NOBODY, ...fields, ...clocks }
}
