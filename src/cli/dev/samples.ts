/** Sends sample events as Svix would, for the dashboard’s simulator and the key that sends one. */

import { EVENT_TYPES } from '../../clerk/catalogue.ts'
import type { SimulatedTraffic, Simulator } from '../../dashboard/index.ts'
import { ClerkSyncError } from '../../errors.ts'
import type { ClerkSync, EventType } from '../../index.ts'
import { signDelivery } from '../../testing/index.ts'
import { buildEvent } from '../sample.ts'

/**
 * @param sync what takes them, as from its route
 * @param traffic what happens by itself, if the traffic is simulated
 */
export function createSimulator(
  sync: ClerkSync,
  secret: readonly string[],
  traffic?: SimulatedTraffic,
): Simulator {
  return {
    traffic,
    get types() {
      return EVENT_TYPES.map((type) => ({ type, sample: buildEvent(type, {}).data }))
    },
    async send(type, data) {
      const [instanceId] = sync.configuration.instanceIds
      const event = { ...buildEvent(known(type), { data: JSON.stringify(data) }), timestamp: Date.now() }
      const sent = instanceId === undefined ? event : { ...event, instance_id: instanceId }
      const { svixId, headers, body } = signDelivery(sent, { secret })
      const { outcome } = await sync.receive(body, headers)
      return { eventId: svixId, outcome }
    },
  }
}

function known(type: string): EventType {
  const found = EVENT_TYPES.find((each) => each === type)
  if (found !== undefined) return found
  throw new ClerkSyncError('option_invalid', `there is no event type ${type.slice(0, 100)}`)
}
