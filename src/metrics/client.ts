/** The Prometheus client: an optional package, loaded when metrics are wanted. */

import { peerMissing } from '../peer.ts'

export type PrometheusClient = typeof import('@prometheus-io/client')

/** @throws {ClerkSyncError} `peer_missing` */
export async function loadClient(): Promise<PrometheusClient> {
  try {
    const { default: client } = await import('@prometheus-io/client')
    return client
  } catch (error) {
    throw peerMissing('metrics', '@prometheus-io/client', error)
  }
}
