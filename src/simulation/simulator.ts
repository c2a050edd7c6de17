/** Sends the events that somebody composes on the dashboard. */

import { EVENT_TYPES } from '../clerk/catalogue.ts'
import { isObject } from '../clerk/event.ts'
import type { SimulatedTraffic, Simulator } from '../dashboard/index.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkEvent, ClerkSync, EventType } from '../index.ts'
import { signDelivery } from '../testing/index.ts'
import { freshSample, withData } from './sample.ts'

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
      return EVENT_TYPES.map((type) => ({ type, sample: freshSample(type).data }))
    },
    async send(type, data) {
      const [instanceId] = sync.configuration.instanceIds
      const instance = instanceId === undefined ? {} : { instance_id: instanceId }
      const event = { ...composed(known(type), data), timestamp: Date.now(), ...instance }
      const { svixId, headers, body } = signDelivery(event, { secret })
      const { outcome } = await sync.receive(body, headers)
      return { eventId: svixId, outcome }
    },
  }
}

function known(type: string): EventType {
  const found = EVENT_TYPES.find((each) => each === type)
  if (found !== undefined) return found
  throw new ClerkSyncError('request_invalid', `there is no event type ${type.slice(0, 100)}`)
}

/** @param data that of an event, or a whole event; undefined for that of a sample */
function composed(type: EventType, data: unknown): ClerkEvent {
  const sample = freshSample(type)
  if (data === undefined) return sample
  const event = isObject(data) ? withData(sample, data) : undefined
  if (event !== undefined) return event
  throw new ClerkSyncError('request_invalid', `the data is neither an object nor an event of type ${type}`)
}
