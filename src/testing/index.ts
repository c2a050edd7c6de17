/** For tests: sample events, signed deliveries, a simulated Clerk and a simulated Svix. `clerk-sync/testing` */

// A Clerk instance that lives.
export { compareTables, type Difference, type TableComparison } from './compare.ts'
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
