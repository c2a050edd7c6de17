/** Sends a sample event through the whole path, as Svix would. */

import { refresh } from '../answers.ts'
import { call } from '../api.ts'
import { pathOf } from '../location.ts'
import { say } from '../parts/toast.tsx'

const TEST_TYPE = 'user.created'

export async function sendTestEvent(): Promise<void> {
  const { types } = await call('GET simulator', {})
  const data = types.find(({ type }) => type === TEST_TYPE)?.sample
  const { eventId, outcome } = await call('POST simulator', { body: { type: TEST_TYPE, data } })
  refresh()
  say(`Sent ${TEST_TYPE}: ${outcome}.`, { href: pathOf('events', eventId), text: 'Open it' })
}
