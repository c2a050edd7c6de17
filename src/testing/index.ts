/**
 * For tests: sample events, signed deliveries, a simulated Clerk with its Backend API, and a simulated Svix.
 *
 * @module clerk-sync/testing
 */

export type { BackendFault, FailNextOptions, FaultRates } from './backend-api/faults.ts'
export type { ClerkFeature, FeatureRefusal } from './backend-api/features.ts'
export type { GoneCursor } from './backend-api/lists.ts'
export type { SimulatedEndpoint } from './backend-api/portal.ts'
export type { RateLimit } from './backend-api/rate-limit.ts'
export type { BackendRequest } from './backend-api/server.ts'
export { asBackendApi } from './backend-api/view.ts'
// Its Backend API.
export { type BackendApi, type BackendApiOptions, startBackendApi } from './backend-api.ts'
// A Clerk instance that lives.
export { type CompareOptions, compareTables, type Difference, type TableComparison } from './compare.ts'
// Single deliveries.
export { sampleEvent } from './samples.ts'
export {
  createSigningSecret,
  type Signable,
  type SignedDelivery,
  type Signer,
  type SignOptions,
  signDelivery,
} from './sign.ts'
export {
  createSimulatedClerk,
  SILENT_ACTIONS,
  SIMULATED_ACTIONS,
  type SimulatedAction,
  type SimulatedClerk,
  type SimulatedClerkOptions,
} from './simulated-clerk.ts'
export type {
  Attempt,
  AttemptStatus,
  DeliveryReport,
  DeliveryTotals,
  MessageReport,
} from './simulated-svix/report.ts'
export type { Deliver } from './simulated-svix/requests.ts'
// How its events arrive.
export { createSimulatedSvix, type SimulatedSvix, type SimulatedSvixOptions } from './simulated-svix.ts'
