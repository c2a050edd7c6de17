/**
 * The dashboard, for any app.
 *
 * @module clerk-sync/dashboard
 */

export type { Authorize, Connection } from './access.ts'
export type * from './api.ts'
export { type ClerkSignInOptions, clerkSignIn, type SessionClaims } from './clerk-sign-in.ts'
export type { SimulatedTraffic, Simulator } from './context.ts'
export { createDashboardHandler, type DashboardHandler, type DashboardOptions } from './dashboard.ts'
export { toNodeListener } from './node.ts'
export type { Principal } from './principal.ts'
