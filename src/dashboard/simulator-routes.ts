/** Play, while developing: sample events, and what happens by itself in a simulated Clerk. */

import { ClerkSyncError } from '../errors.ts'
import type { TrafficState } from './api.ts'
import { type Call, type Endpoints, nameIn, type SimulatedTraffic, type Simulator } from './context.ts'
import { invalid } from './request.ts'

const MAX_PER_SECOND = 100

export const SIMULATOR_ROUTES: Endpoints<
  'GET simulator' | 'POST simulator' | 'POST simulator/traffic' | 'POST simulator/scenarios/{scenario}'
> = {
  'GET simulator': [
    'operator',
    async (call) => {
      const { types, traffic } = simulatorOf(call)
      return { types, traffic: traffic ? stateOf(traffic) : null, scenarios: traffic?.scenarios ?? [] }
    },
  ],
  'POST simulator': [
    'operator',
    (call) => simulatorOf(call).send(call.body.required('type'), call.body.raw('data')),
  ],
  'POST simulator/traffic': ['operator', change],
  'POST simulator/scenarios/{scenario}': ['operator', play],
}

async function change(call: Call): Promise<TrafficState> {
  const traffic = trafficOf(call)
  const [isRunning, perSecond] = [
    call.body.boolean('isRunning'),
    call.body.number('perSecond', MAX_PER_SECOND),
  ]
  traffic.change({
    ...(isRunning !== undefined && { isRunning }),
    ...(perSecond !== undefined && { perSecond }),
  })
  return stateOf(traffic)
}

async function play(call: Call): Promise<{ events: number }> {
  const traffic = trafficOf(call)
  const name = nameIn(call, 'scenario')
  if (!traffic.scenarios.some((scenario) => scenario.name === name)) {
    throw invalid(`there is no scenario ${name.slice(0, 100)}`)
  }
  return { events: await traffic.play(name) }
}

function stateOf({ isRunning, perSecond }: SimulatedTraffic): TrafficState {
  return { isRunning, perSecond }
}

function simulatorOf({ simulator }: Call): Simulator {
  if (simulator) return simulator
  throw new ClerkSyncError('feature_unavailable', 'it runs only with `clerk-sync dev`')
}

function trafficOf(call: Call): SimulatedTraffic {
  const { traffic } = simulatorOf(call)
  if (traffic) return traffic
  throw new ClerkSyncError(
    'feature_unavailable',
    'the traffic is real; `clerk-sync dev --simulate` makes some up',
  )
}
