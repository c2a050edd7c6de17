/**
 * The dashboard, for any app.
 *
 * @module clerk-sync/dashboard
 */

export type { Authorize, Connection } from './access.ts'
export type * from './api.ts'
export { type ClerkSignInOptions, clerkSignIn, type SessionClaims } from './clerk-sign-in.ts'
export { createDashboardHandler, type DashboardHandler, type DashboardOptions } from './dashboard.ts'
export type { SimulatedTraffic, Simulator } from './desk.ts'
export { toNodeListener } from './node.ts'
export type { Person } from './person.ts'
