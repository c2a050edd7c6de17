/**
 * Whether a secret may sign for an instance. A bound secret signs for its instance alone, and an instance with secrets of its
 * own accepts no other: the secret of a development instance, which many people know, never signs for production.
 */

import { type ClerkEvent, instanceIdOf } from '../clerk/event.ts'
import { ClerkSyncError } from '../errors.ts'
import type { BoundSecret } from './secret.ts'

/**
 * The event as one of the instance that its secret is bound to, which messages from before February 2025 do not name.
 * @param signers the secrets that made the signature
 * @param secrets all configured ones
 * @throws {ClerkSyncError} `secret_of_other_instance`
 */
export function requireOwnSecret(
  event: ClerkEvent,
  signers: readonly BoundSecret[],
  secrets: readonly BoundSecret[],
): ClerkEvent {
  const instanceId = instanceIdOf(event)
  const own = signers.find((signer) => maySign(signer, instanceId, secrets))
  if (own === undefined) throw wrongSecret(instanceId as string, signers)
  return instanceId === null && own.instanceId !== null ? { ...event, instance_id: own.instanceId } : event
}

function maySign(signer: BoundSecret, instanceId: string | null, secrets: readonly BoundSecret[]): boolean {
  if (instanceId === null) return true
  if (signer.instanceId !== null) return signer.instanceId === instanceId
  return !secrets.some((secret) => secret.instanceId === instanceId)
}

function wrongSecret(instanceId: string, [signer]: readonly BoundSecret[]): ClerkSyncError {
  const secret = signer?.instanceId ? `the secret of ${signer.instanceId}` : 'a secret without an instance'
  return new ClerkSyncError('secret_of_other_instance', `${secret} signed an event of ${shown(instanceId)}`)
}

/** Anyone who has a secret can write any instance id. */
function shown(instanceId: string): string {
  return /^ins_\w{1,64}$/.test(instanceId) ? instanceId : 'an instance with a malformed id'
}
