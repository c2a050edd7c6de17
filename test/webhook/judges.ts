/** The packages that others verify Clerk's webhooks with, as judges of ours. */

import { verifyWebhook } from '@clerk/backend/webhooks'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

export interface SignedMessage {
  readonly secret: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export const JUDGE_NAMES = ['svix', 'standardwebhooks', '@clerk/backend'] as const
export type JudgeName = (typeof JUDGE_NAMES)[number]

type Verification = (message: SignedMessage) => unknown

const VERIFICATIONS: Readonly<Record<JudgeName, Verification>> = {
  svix: ({ secret, headers, body }) => new SvixWebhook(secret).verify(body, headers),
  standardwebhooks: ({ secret, headers, body }) =>
    new StandardWebhook(secret).verify(body, underStandardNames(headers)),
  '@clerk/backend': ({ secret, headers, body }) =>
    verifyWebhook(new Request('https://test/', { method: 'POST', headers, body }), { signingSecret: secret }),
}

/** `standardwebhooks` knows its own header names only. */
function underStandardNames(headers: SignedMessage['headers']): Record<string, string> {
  const branded = Object.entries(headers).filter(([name]) => /^svix-/i.test(name))
  const renamed = branded.map(([name, value]) => [name.replace(/^svix-/i, 'webhook-'), value])
  return { ...headers, ...Object.fromEntries(renamed) }
}

/** The judges that accept a message. Whatever they throw is a refusal. */
export async function acceptedBy(message: SignedMessage): Promise<JudgeName[]> {
  const accepted: JudgeName[] = []
  for (const name of JUDGE_NAMES) {
    try {
      await VERIFICATIONS[name](message)
      accepted.push(name)
    } catch {}
  }
  return accepted
}
