import { auth, clerkClient } from '@clerk/nextjs/server'
import { sharedClerkSync } from 'clerk-sync'
import { revalidatePath } from 'next/cache'

/** The first page after a sign-up is often asked for before its webhook came: `ensure` looks at Clerk once then. */
export default async function Me() {
  const { userId } = await auth()
  if (userId === null) return <p>You are not signed in.</p>
  const user = await sharedClerkSync().users.ensure(userId)
  return (
    <form action={rename}>
      <input name="firstName" defaultValue={user?.first_name ?? ''} />
      <button type="submit">Save</button>
    </form>
  )
}

/** Changes the name in Clerk, and shows the page again when the tables have it. */
async function rename(form: FormData) {
  'use server'
  const { userId } = await auth()
  if (userId === null) return
  const clerk = await clerkClient()
  const { updatedAt } = await clerk.users.updateUser(userId, { firstName: String(form.get('firstName')) })
  await sharedClerkSync().waitFor('users', userId, { updatedAt })
  revalidatePath('/me')
}
