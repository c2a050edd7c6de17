/** The e-mail domains of organizations. */

import type { OrganizationDomainPayload, VerificationPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import { handle } from './content.ts'
import { publicOrganization } from './excerpts.ts'
import type { Instance } from './instance.ts'
import { createOrganization } from './organizations.ts'

const MODES = ['manual_invitation', 'automatic_invitation', 'automatic_suggestion', 'enterprise_sso']

function verified(instance: Instance): VerificationPayload {
  return {
    status: 'verified',
    strategy: 'affiliation_email_code',
    attempts: 1,
    expire_at: instance.now + 600_000,
    verified_at: instance.now,
  }
}

function changesOf(
  instance: Instance,
  domain: OrganizationDomainPayload,
): Partial<OrganizationDomainPayload> {
  const { random } = instance
  if (domain.verification === null) {
    const verification = verified(instance)
    return { verification, affiliation_verification: verification }
  }
  return {
    enrollment_mode: random.pick(MODES),
    total_pending_invitations: random.integer(0, 9),
    total_pending_suggestions: random.integer(0, 9),
  }
}

export const addDomain = actionOn('organizations', {
  weight: 3,
  otherwise: createOrganization,
  run: (instance, organization) => {
    const { random } = instance
    const name = `${handle(random)}.example`
    const verification = random.chance(0.3) ? verified(instance) : null
    const identity = { object: 'organization_domain', id: instance.newId('orgdmn') }
    const domain = instance.add('organization_domains', identity, {
      organization_id: organization.id,
      name,
      enrollment_mode: random.pick(MODES),
      affiliation_email_address: `admin@${name}`,
      affiliation_verification: verification,
      ownership_verification: null,
      verification,
      total_pending_invitations: 0,
      total_pending_suggestions: 0,
      public_organization_data: publicOrganization(organization),
    })
    instance.send('organizationDomain.created', domain)
  },
})

export const updateDomain = actionOn('organization_domains', {
  weight: 3,
  otherwise: addDomain,
  run: (instance, domain) => {
    const updated = instance.update('organization_domains', domain, changesOf(instance, domain))
    instance.send('organizationDomain.updated', updated)
  },
})

export const removeDomain = actionOn('organization_domains', {
  weight: 2,
  otherwise: addDomain,
  run: (instance, domain) => {
    instance.tables.organization_domains.delete(domain)
    instance.send('organizationDomain.deleted', {
      object: 'organization_domain',
      id: domain.id,
      deleted: true,
    })
  },
})
