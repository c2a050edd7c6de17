/** Everything that can happen, by name. */

import type { Action } from './action.ts'
import { addMember, changeMember, rejoinOrganization, removeMember } from './membership-actions.ts'
import { sendEmail, sendSms } from './messages.ts'
import { addDomain, removeDomain, updateDomain } from './organization-domains.ts'
import {
  acceptOrganizationInvitation,
  inviteToOrganization,
  revokeOrganizationInvitation,
} from './organization-invitations.ts'
import { createOrganization, deleteOrganization, updateOrganization } from './organizations.ts'
import { attemptPayment, completePayment, failPayment } from './payments.ts'
import {
  createPermission,
  createRole,
  deletePermission,
  deleteRole,
  updatePermission,
  updateRole,
} from './roles.ts'
import { beginSignIn, completeSignIn, endSession, removeSession, revokeSession, signIn } from './sessions.ts'
import {
  acceptInvitation,
  createInvitation,
  deleteWaitlistEntry,
  noteActivity,
  revokeInvitation,
} from './silent-actions.ts'
import {
  abandonItem,
  activateItem,
  announceTrialEnd,
  cancelItem,
  changeSeats,
  endItem,
  holdItem,
  letItemLapse,
} from './subscription-item-actions.ts'
import {
  activateSubscription,
  cancelSubscription,
  changePaymentSource,
  changePlan,
  letSubscriptionLapse,
  startTrial,
  subscribeOrganization,
  subscribeUser,
} from './subscriptions.ts'
import { createUser, deleteUser, recreateUser, updateUser } from './users.ts'
import {
  completeWaitlistEntry,
  inviteFromWaitlist,
  joinWaitlist,
  rejectFromWaitlist,
  revokeWaitlistInvitation,
} from './waitlist.ts'

export const ACTIONS = {
  createUser,
  updateUser,
  deleteUser,
  recreateUser,
  signIn,
  beginSignIn,
  completeSignIn,
  endSession,
  removeSession,
  revokeSession,
  createOrganization,
  updateOrganization,
  deleteOrganization,
  addMember,
  changeMember,
  removeMember,
  rejoinOrganization,
  inviteToOrganization,
  acceptOrganizationInvitation,
  revokeOrganizationInvitation,
  addDomain,
  updateDomain,
  removeDomain,
  createRole,
  updateRole,
  deleteRole,
  createPermission,
  updatePermission,
  deletePermission,
  joinWaitlist,
  inviteFromWaitlist,
  rejectFromWaitlist,
  completeWaitlistEntry,
  revokeWaitlistInvitation,
  sendEmail,
  sendSms,
  subscribeUser,
  subscribeOrganization,
  startTrial,
  activateSubscription,
  letSubscriptionLapse,
  cancelSubscription,
  changePaymentSource,
  changePlan,
  activateItem,
  holdItem,
  abandonItem,
  cancelItem,
  letItemLapse,
  endItem,
  changeSeats,
  announceTrialEnd,
  attemptPayment,
  completePayment,
  failPayment,
  createInvitation,
  revokeInvitation,
  acceptInvitation,
  deleteWaitlistEntry,
  noteActivity,
} as const satisfies Record<string, Action>
